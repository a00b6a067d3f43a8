@deploy
Feature: Deploy a version and keep answering
  Deploying changes one variable of Triton's Deployment, and Kubernetes rolls. What
  counts is what clients see meanwhile: right answers of a known version, and not
  one failed request.

  Scenario: The registered version reaches Triton by a rollout
    Given the version of the better run is deployed
    Then the pods of Triton carry the version of the better run
    And the answers name the version of the better run
    And the version that answers is the champion
    And the rollout never takes the last ready pod away

  Scenario: Ready means that Triton itself says so of the model
    Given the version of the better run is deployed
    Then the readiness probe of Triton's pods asks "/v2/models/digits/ready"
    And Triton itself says that the model is ready
    And Triton says that the unknown model "letters" is not ready

  Scenario: The model tells clients what it takes and what it gives
    Given the version of the better run is deployed
    Then the model takes "images" as "FP32" and gives "label" as "INT64"
    And the model takes "images" as "FP32" and gives "probabilities" as "FP32"

  Scenario: 100 predictions equal those of the MLflow model
    Given the version of the better run is deployed
    And 100 held-out images with the predictions of the MLflow model of the better run
    When Triton is asked for them one by one
    Then all 100 predictions equal those of the MLflow model
    And no probability differs by more than 0.001

  Scenario: A batch of images gets the same answers as single images
    Given the version of the better run is deployed
    And 50 held-out images with the predictions of the MLflow model of the better run
    When Triton is asked for all of them in one request
    And Triton is asked for them one by one
    Then both ways gave the same labels

  Scenario: An image of the wrong size is refused with a message that helps
    Given the version of the better run is deployed
    When an image of 63 numbers is sent
    Then Triton refuses it with a 4xx status
    And its message mentions "[-1,64]"
    And a correct request is answered right after

  Scenario: An image of the wrong type is refused with a message that helps
    Given the version of the better run is deployed
    When an image is sent as "INT64"
    Then Triton refuses it with a 4xx status
    And its message mentions "FP32"
    And a correct request is answered right after

  Scenario: A request to an unknown model is refused with a message that helps
    Given the version of the better run is deployed
    When an image is sent to the model "letters"
    Then Triton refuses it with a 4xx status
    And its message mentions "letters"

  Scenario: Undoing the rollout brings back the version before
    Given the version of the better run was rolled out after that of the baseline run
    And 100 held-out images with the predictions of the MLflow model of the baseline run
    When the rollout is undone
    And Triton is asked for them one by one
    Then the answers name the version of the baseline run
    And all 100 predictions equal those of the MLflow model

  Scenario: Not one request fails while a version is rolled out under load
    Given the version of the baseline run is deployed
    When the version of the better run is rolled out over that of the baseline run while requests keep coming
    Then no request failed and none was answered wrongly
    And the answers name the version of the better run

  @requires-faults
  Scenario: A rollout ends right although the API server stood still meanwhile
    Given the version of the baseline run is deployed
    When the API server stands still for 10 seconds while the version of the better run is rolled out over that of the baseline run
    Then no request failed and none was answered wrongly
    And the answers name the version of the better run

  Scenario: A killed pod comes back, and no request is answered wrongly
    Given the version of the better run is deployed
    When Triton's pod is killed while requests keep coming
    Then no request was answered wrongly
    And the answers name the version of the better run
