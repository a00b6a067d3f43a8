@monitor
Feature: Monitor what the model is asked and how it answers
  In the tutorial nobody scrapes Triton's own metrics, and no dashboard shows them.
  Here every inference is counted, and the images that come in are compared with
  those that the served version was trained on.

  Scenario: Prometheus counts exactly the inferences that were sent
    Given the version of the better run is deployed
    And Prometheus has counted every inference so far
    When 37 held-out images are sent, one a request
    Then Prometheus's count of successful inferences has grown by exactly 37

  Scenario: Latency and queue time are there
    Given the version of the better run is deployed
    And Prometheus has counted every inference so far
    Then Prometheus knows how long requests took and how long they queued

  Scenario Outline: Prometheus scrapes <job> without error
    Given the version of the better run is deployed
    Then Prometheus scrapes "<job>" without error

    Examples:
      | job           |
      | triton        |
      | model-monitor |

  Scenario Outline: The dashboard panel "<panel>" has an answer to show
    Given the version of the better run is deployed
    When 6 requests of ordinary images are sent, 10 images each
    Then Prometheus has an answer to every query of the panel "<panel>"

    Examples:
      | panel                          |
      | Successful requests per second |
      | Failed requests per second     |
      | Mean latency                   |
      | Mean time in queue             |
      | Mean rows per batch            |
      | Input drift                    |
      | Input rows seen per second     |
      | Served version                 |
      | Retrainings asked for          |
      | Triton pods that answer        |
      | Memory by pod                  |
      | CPU by pod                     |

  @requires-grafana
  Scenario: Grafana shows every dashboard of the chart
    Then Grafana shows every dashboard of the chart

  Scenario: Ordinary images are no drift
    Given the version of the better run is deployed
    And no drift alert fires
    When 10 requests of ordinary images are sent, 50 images each
    Then the input drift settles below 0.15

  Scenario: Images with black and white swapped raise the drift and the alert
    Given the version of the better run is deployed
    And no drift alert fires
    When images keep coming with black and white swapped
    Then the input drift rises above 0.5
    And Alertmanager holds the alert "ModelInputDrift"
