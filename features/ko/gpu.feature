# language: ko
@gpu @requires-gpu
기능: Pod에 GPU를 나누어 준다
  Pod는 메모리를 요청하듯이 GPU를 요청한다. 그러면 자기만의 장치를 드라이버 파일과 함께
  받는다. 이미 나간 장치는 다른 Pod가 쓸 수 없고, 늦게 온 Pod는 기다린다.

  시나리오: Pod는 요청한 GPU에서 계산한다
    만약 어떤 Pod가 GPU 하나를 요청한다
    그러면 그 Pod는 GPU를 정확히 하나 가진다
    그리고 거기서 CUDA가 그 GPU를 찾는다

  @requires-own-gpus
  시나리오: Pod는 다른 Pod가 GPU를 돌려줄 때까지 기다린다
    조건 클러스터의 모든 GPU를 Pod들이 쥐고 있다
    만약 또 다른 Pod가 GPU 하나를 요청한다
    그러면 그 Pod는 GPU가 모자라서 기다린다
    만약 다른 Pod 하나가 끝난다
    그러면 그 Pod는 GPU를 정확히 하나 가진다
