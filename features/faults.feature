@faults @requires-faults
Feature: Lose a node or a network, and keep answering
  Machines die, stand still and lose each other. These scenarios do that to real nodes
  while clients keep asking, and undo it. A client that tries again is enough to get
  every answer; what it costs, and how long the cluster needs afterwards, is told.

  @requires-nodes-3
  Scenario: A worker dies, and the deployed model keeps answering
    Given the version of the better run is deployed
    And Triton has a pod on each of two workers without volumes
    When one of the two workers dies while requests keep coming, until Kubernetes calls it not ready
    Then every request was answered in the end, and none wrongly
    When the worker is switched on again
    Then every node is ready, and Triton has its pods where they were

  @requires-nodes-3
  Scenario: The network between two workers is cut and heals
    Given the version of the better run is deployed
    And Triton has a pod on each of two workers without volumes
    When the network between the two workers is cut for 10 seconds
    Then neither of the two pods reached the other meanwhile
    And each of the two pods reached the other again within 10 seconds

  @requires-nodes-3
  Scenario: A worker stands still for a while, and the deployed model keeps answering
    Given the version of the better run is deployed
    And Triton has a pod on each of two workers without volumes
    When one of the two workers stands still for 20 seconds while requests keep coming
    Then every request was answered in the end, and none wrongly
    And every node is ready, and Triton has its pods where they were

  @requires-nodes-3 @requires-tbf
  Scenario: The network of a worker is slow, and the answers are late but right
    Given the version of the better run is deployed
    And Triton has a pod on each of two workers without volumes
    When one of the two workers sends at most 32 kilobits a second for 15 seconds while requests keep coming
    Then every request was answered in the end, and none wrongly

  @requires-nodes-3
  Scenario: A worker whose disk is full takes no new pods
    Given the version of the better run is deployed
    And Triton has a pod on each of two workers without volumes
    When the disk of one of the two workers is full as Kubernetes sees it
    And Triton is to have a third pod
    Then the third pod of Triton is on another node, and all three are ready

  Scenario: A registry out of reach is told as the cause of an image that does not come
    Given this Pod manifest:
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: image-of-a-far-registry
      spec:
        containers:
          - name: web
            image: 192.0.2.10:5000/nginx:1.27
      """
    When the nodes reach no registry any more
    And the manifest is sent to the Kubernetes API
    Then the Pod "image-of-a-far-registry" ends in "ImagePullBackOff"
    And in plain words the cause is "the registry `192.0.2.10:5000` refuses connections"
