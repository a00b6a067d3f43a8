@retrain
Feature: Retrain because an alert says so
  This is the loop that no tutorial closes: images change, the drift metric rises,
  the alert fires, its webhook starts the DAG, the new version wins on the changed
  images, is rolled out, and the alert resolves. The scenarios only send images and
  look; no step of theirs starts, registers or deploys anything.

  Scenario: The alert alone starts the retraining
    Given shifted images have raised the drift alert
    Then Airflow has started the DAG "train_digits" because of the alert, and nobody else did

  Scenario: The retrained candidate wins on the shifted images and becomes the champion
    Given the retraining that the alert started has ended
    Then its candidate beats the champion on the shifted data
    And the alias "champion" has moved to its version

  Scenario: Triton serves the retrained version
    Given the retraining that the alert started has ended
    Then Triton's predictions of 100 shifted images equal those of the retrained MLflow model
    And the version that answers is the champion

  Scenario: The alert resolves although the images stay as they are now
    Given the retraining that the alert started has ended
    Then the alert resolves within 60 seconds while the shifted images keep coming

  Scenario: One alert has started one retraining, not two
    Given the retraining that the alert started has ended
    Then that alert has started exactly one retraining
