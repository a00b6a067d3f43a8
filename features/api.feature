@api
Feature: The Kubernetes API and the shape of a manifest
  Most first manifests fail on their shape: a map where the API wants a list, or
  the other way round. The API says so, but in the words of the program that reads
  it. These scenarios send such a manifest and put the answer into plain words.

  Scenario: A Pod whose containers are a map is refused, and the answer can be understood
    Given this Pod manifest:
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: containers-as-a-map
      spec:
        containers:
          name: web
          image: nginx
      """
    When the manifest is sent to the Kubernetes API
    Then the API refuses it with status 400
    And in plain words that means "`spec.containers` must be a list"
    And there is no Pod named "containers-as-a-map"

  Scenario: The same Pod with a dash before the container's name is accepted
    Given this Pod manifest:
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: containers-as-a-list
      spec:
        containers:
          - name: web
            image: nginx
      """
    When the manifest is sent to the Kubernetes API as a dry run
    Then the API accepts it
    And there is no Pod named "containers-as-a-list"
