# language: ko
@api
기능: 쿠버네티스 API와 매니페스트의 모양
  처음 쓰는 매니페스트는 대개 모양에서 막힌다. API가 리스트를 기다리는 자리에 맵을
  쓰거나 그 반대인 경우다. API는 그렇다고 알려 주지만, 매니페스트를 읽는 프로그램의
  말로 알려 준다. 여기서는 그런 매니페스트를 실제로 보내 보고 답을 쉬운 말로 옮긴다.

  시나리오: containers가 맵인 Pod는 거부되고, 그 이유를 알아들을 수 있다
    조건 다음과 같은 Pod 매니페스트:
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
    만약 매니페스트를 쿠버네티스 API에 보낸다
    그러면 API는 상태 코드 400으로 거부한다
    그리고 이를 쉬운 말로 옮기면 "`spec.containers` must be a list"라는 뜻이다
    그리고 "containers-as-a-map"이라는 Pod는 없다

  시나리오: 컨테이너 이름 앞에 대시를 붙인 같은 Pod는 받아들여진다
    조건 다음과 같은 Pod 매니페스트:
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
    만약 매니페스트를 쿠버네티스 API에 dry run으로 보낸다
    그러면 API는 이를 받아들인다
    그리고 "containers-as-a-list"라는 Pod는 없다
