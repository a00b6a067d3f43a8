@gpu @requires-gpu
Feature: Give pods GPUs
  A pod asks for GPUs as it asks for memory. It gets devices of its own, with the driver's
  files; what is taken is nobody else's, and who comes too late waits.

  Scenario: A pod computes on the GPU that it asked for
    When a pod asks for a GPU
    Then it holds one, and only one
    And CUDA finds it there

  @requires-own-gpus
  Scenario: A pod waits for a GPU until another gives it back
    Given pods hold every GPU of the cluster
    When one more pod asks for a GPU
    Then it waits, because there are not enough
    When one of the others ends
    Then it holds one, and only one
