@register
Feature: Register only what is better
  A registry that takes every model is a folder with numbers. Here a candidate
  becomes a version only if it beats the champion on the same held-out images; the
  alias "champion" names the version that is to be served.

  Scenario: A better candidate becomes a version, and the champion
    Given the better run has ended
    Then the better run is more accurate than the baseline run
    And the better run became a version of the model "digits"
    And the alias "champion" points at the version of the better run

  Scenario: A first good candidate has become a version too, and stays one
    Given the baseline run has ended
    Then the baseline run became a version of the model "digits"

  Scenario: A worse candidate is refused, and MLflow remembers why
    Given the worse run has ended
    Then the better run is more accurate than the worse run
    And MLflow says that the worse run was refused
    And no model version came from the worse run
    And the alias "champion" does not point at the worse run

  Scenario: An equal rerun registers nothing new
    Given the repeated run has ended
    Then MLflow says that the repeated run was refused
    And no model version came from the repeated run

  Scenario: A version leads back to its run and to the data it was trained on
    Given the better run has ended
    Then the version of the better run leads to its MLflow run, its data hash and its DAG run
