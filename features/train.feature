@train
Feature: Train a model with a DAG and keep what came of it
  Airflow runs the DAG train_digits on scikit-learn's handwritten digits, each task
  in a pod of its own. A green task proves little: the tutorial's validation step
  ends well whatever it finds. So these scenarios look at what a run leaves in
  MLflow and in S3, and at what it must not leave.

  The runs they speak of: "baseline" (seed 7, 30 iterations), "better" (200
  iterations), "repeated" (the baseline again), "worse" (1 iteration), "broken"
  (a column of the data is missing), "oversized" (asks for 64 GiB of memory).

  Scenario: A run started through Airflow's REST API runs its tasks in order, each in its own pod
    Given the baseline run has ended
    Then the tasks of the baseline run ran in the order "validate, train, register, deploy", each in a pod of its own

  Scenario: MLflow holds the finished run with its parameters and a good accuracy
    Given the baseline run has ended
    Then MLflow holds a finished run for the baseline run
    And the baseline run has the parameters "seed, max_iter, dataset, data_hash"
    And the accuracy of the baseline run is at least 0.95

  Scenario: The model says what goes in and what comes out
    Given the baseline run has ended
    Then the model of the baseline run has a signature with 64 numbers going in

  Scenario: The artifacts are in S3, not on the tracking server's disk
    Given the baseline run has ended
    Then the bucket "mlflow" in S3 holds the model of the baseline run

  Scenario: Broken data ends the run before anything is trained or registered
    Given the broken run has ended
    Then the broken run failed in the task "validate", and no later task got a pod
    And in the broken run the log of the task "validate" mentions "column 20"
    And MLflow holds no run for the broken run
    And no model version came from the broken run

  Scenario: A request that no node can meet is told as unschedulable, not as a time-out
    Given the oversized run has ended
    Then the oversized run was given up as unschedulable within 40 seconds
    And the reason given for the oversized run names "Insufficient memory"

  Scenario: The same seed on the same data gives the same accuracy, to the last digit
    Given the repeated run has ended
    Then the baseline run and the repeated run name the same data hash
    And the baseline run and the repeated run have the same accuracy to the last digit
