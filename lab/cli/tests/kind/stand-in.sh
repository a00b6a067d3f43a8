#!/bin/sh
# Stands in for kind where the real one cannot run: takes the words that kind takes, says
# what kind says, and makes containers named, labelled and networked as kind does. They
# are of the lab's node image, so that the cluster is a real one.
#
# What it says lies in `said`. `version`, `create-fails` and `create-refused` were recorded
# of kind v0.32.0, the latter two on a machine without a registry, and on one that refuses
# --privileged. `create-well` is put together from kind's site (docs/user/working-offline)
# in the form that the program has without a terminal; `version-old` from its source.
#
# STAND_IN says how `create cluster` ends: well, fails, refused, at-work (never).
set -eu
said=$(dirname "$0")/said
label=io.x-k8s.kind

case "$1" in
version)
    cat "$said/${STAND_IN_VERSION:-version}.txt"
    exit
    ;;
export)
    for folder in "$@"; do :; done
    name=$(echo "$*" | sed -n 's/.*--name \([^ ]*\).*/\1/p')
    mkdir -p "$folder/$name-control-plane"
    docker inspect "$name-control-plane" >"$folder/$name-control-plane/inspect.json"
    echo "Exporting logs for cluster \"$name\" to:" >&2
    echo "$folder"
    exit
    ;;
esac

shift 2 # create cluster
while [ $# -gt 0 ]; do
    case "$1" in
    --name) name=$2 ;;
    --config) config=$2 ;;
    --kubeconfig) kubeconfig=$2 ;;
    --retain)
        shift
        continue
        ;;
    esac
    shift 2
done
server=$name-control-plane

# What the config asks to publish; the engine chooses the ports.
publish="--publish 127.0.0.1:0:6443/tcp"
for port in $(sed -n 's/.*"containerPort": \([0-9]*\).*/\1/p' "$config"); do
    publish="$publish --publish 127.0.0.1:0:$port/tcp"
done

# As kind does it, but for what only its own image needs.
create() {
    docker create --name "$server" --hostname "$server" \
        --label "$label.role=control-plane" --label "$label.cluster=$name" \
        --net "$KIND_EXPERIMENTAL_DOCKER_NETWORK" --cgroupns private $publish \
        --tmpfs /tmp:exec,mode=1777 --tmpfs /run:exec,mode=1777 \
        --volume /var/lib/rancher/k3s --volume /var/lib/kubelet \
        "$@" >/dev/null
}

case "${STAND_IN:-well}" in
fails | refused)
    create "$STAND_IN_IMAGE" server
    cat "$said/create-$STAND_IN.txt" >&2
    exit 1
    ;;
at-work)
    # Like kind, which asks the engine by a program of its own for each container.
    echo " • Preparing nodes 📦   ..." >&2
    server=$name-worker
    number=1
    while :; do
        number=$((number + 1))
        server=$name-worker$number
        create "$STAND_IN_IMAGE" server
    done
    ;;
esac

sed '/Preparing/q' "$said/create-well.txt" >&2
# Some machines refuse --privileged, which kind's own nodes cannot do without.
create --cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined \
    --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
    --device-cgroup-rule 'a *:* rwm' "$STAND_IN_IMAGE" server
docker cp --quiet "$STAND_IN_PROGRAM" "$server:/usr/local/bin/lab"
docker cp --quiet "$(dirname "$0")/journalctl.sh" "$server:/usr/local/bin/journalctl"
docker start "$server" >/dev/null
# Bounded by the test, which ends it with `lab`.
until docker logs "$server" 2>&1 | grep -q '^lab: ready'; do sleep 0.1; done
docker exec "$server" cat /etc/rancher/k3s/k3s.yaml >"$kubeconfig.node"
value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$kubeconfig.node"; }
cat >"$kubeconfig" <<EOF
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: $(value certificate-authority-data)
    server: https://$(docker port "$server" 6443/tcp)
  name: kind-$name
contexts:
- context:
    cluster: kind-$name
    user: kind-$name
  name: kind-$name
current-context: kind-$name
kind: Config
users:
- name: kind-$name
  user:
    client-certificate-data: $(value client-certificate-data)
    client-key-data: $(value client-key-data)
EOF
rm "$kubeconfig.node"
sed '1,/Preparing/d' "$said/create-well.txt" >&2
