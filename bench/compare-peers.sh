#!/usr/bin/env bash
# Our load engine beside the tools that are installed (wrk, oha, hey, ab, h2load,
# perf_analyzer): closed loops against a constant answer, in turns, on this machine now.
#
#   bench/compare-peers.sh [ROUNDS] [SECONDS]
#
# The answer comes from nginx with one worker where nginx is installed, else from our own
# null server. Prints medians over the rounds; ratios are medians of the rounds' ratios,
# since the machine's own speed changes from round to round.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-9} seconds=${2:-2}
body='{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}]}'
answer='{"model_name":"null","model_version":"1","outputs":[{"name":"label","datatype":"INT64","shape":[1,1],"data":[7]}]}'
tensors='"inputs":[{"name":"x","datatype":"FP32","shape":[1,4]}],"outputs":[{"name":"label","datatype":"INT64","shape":[1,1]}]'
none='{"count":0,"ns":0}'

work=$(mktemp -d)
trap 'rm -rf "$work"; [ -z "${server:-}" ] || kill "$server" 2>/dev/null || true' EXIT

cargo build --release --quiet --locked -p lab-bench --examples
load=$(find target -path '*release/examples/load' -type f | head -n 1)

if nginx=$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null); then
    port=18080
    cat >"$work/nginx.conf" <<NGINX
daemon off; worker_processes 1; pid $work/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 3600;
  server { listen 127.0.0.1:$port; default_type application/json;
    # What perf_analyzer asks before it sends anything.
    location = /v2 { return 200 '{"name":"triton","version":"2","extensions":["statistics"]}'; }
    location ~ ^/v2/models/null(/versions/1)?\$ { return 200 '{"name":"null","versions":["1"],"platform":"python",$tensors}'; }
    location ~ /config\$ { return 200 '{"name":"null","backend":"python","max_batch_size":0,
      "input":[{"name":"x","data_type":"TYPE_FP32","dims":[1,4]}],
      "output":[{"name":"label","data_type":"TYPE_INT64","dims":[1,1]}]}'; }
    location ~ /stats\$ { return 200 '{"model_stats":[{"name":"null","version":"1","last_inference":0,
      "inference_count":0,"execution_count":0,"batch_stats":[],"inference_stats":{"success":$none,
      "fail":$none,"queue":$none,"compute_input":$none,"compute_infer":$none,"compute_output":$none}}]}'; }
    location / { return 200 '$answer'; } } }
NGINX
    "$nginx" -c "$work/nginx.conf" & server=$!
    named="nginx, one worker"
else
    cargo run --release --quiet --locked -p lab-bench --example null_server >"$work/url" & server=$!
    until [ -s "$work/url" ]; do sleep 0.1; done
    port=$(sed 's/.*://' "$work/url")
    named="our null server"
fi
url="http://127.0.0.1:$port/v2/models/null/infer"
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done

printf '%s' "$body" >"$work/body"
cat >"$work/post.lua" <<LUA
wrk.method = "POST"
wrk.body = '$body'
wrk.headers["Content-Type"] = "application/json"
LUA

# A tool tells how many requests it sent, or how many a second; CPU and elapsed time are
# the shell's, start-up included.
run() { # TOOL CONNECTIONS -> requests/s, CPU microseconds a request
    local tool=$1 connections=$2 out="$work/out"
    if [ "$tool" = lab ]; then
        "$load" "$url" "$connections" "$seconds" | awk '{ print $1, $2 }'
        return
    fi
    local TIMEFORMAT='%U %S %R'
    { time case $tool in
        wrk) wrk -t1 -c"$connections" -d"$seconds" -s "$work/post.lua" "$url" ;;
        oha) oha --no-tui -z "${seconds}s" -c "$connections" -m POST -d "$body" -T application/json "$url" ;;
        hey) hey -z "${seconds}s" -c "$connections" -m POST -d "$body" -T application/json "$url" ;;
        ab) ab -q -k -t "$seconds" -n 100000000 -c "$connections" -p "$work/body" -T application/json "$url" ;;
        h2load) h2load --h1 -t1 -D "$seconds" -c "$connections" -d "$work/body" -H 'content-type: application/json' "$url" ;;
        perf_analyzer) perf_analyzer -m null -x 1 -u "127.0.0.1:$port" --concurrency-range "$connections" \
            --input-tensor-format json --output-tensor-format json -p "$((seconds * 1000))" -s 50 -r 3 ;;
    esac >"$out" 2>&1; } 2>"$work/time" || true
    awk -v seconds="$seconds" '
        NR == FNR { user = $1; system_ = $2; elapsed = $3; next }
        /requests in/ { count = $1 }                            # wrk
        /Complete requests:/ { count = $3 }                     # ab
        /^requests:/ { for (i = 1; i < NF; i++) if ($(i + 1) ~ /^succeeded/) count = $i }  # h2load
        /Requests\/sec:/ { rate = $2 }                          # hey, oha
        /Throughput:/ { rate = $2 }                             # perf_analyzer, of its windows
        END {
            if (!rate) rate = count / seconds
            if (!count) count = rate * elapsed
            if (count) printf "%.0f %.2f\n", rate, (user + system_) / count * 1e6
        }' "$work/time" "$out"
}

tools=(lab)
for tool in wrk oha hey ab h2load perf_analyzer; do
    if command -v "$tool" >/dev/null; then tools+=("$tool"); else missing="${missing:-} $tool"; fi
done

for connections in 8 64; do
    for round in $(seq "$rounds"); do
        for tool in $(shuf -e "${tools[@]}"); do
            echo "$connections $round $tool $(run "$tool" "$connections")" >>"$work/runs"
        done
    done
done

echo "answers from $named; $rounds rounds of $seconds s, tools in turns; medians"
[ -z "${missing:-}" ] || echo "not installed:${missing}"
awk '
    function median(list, n,    copy, i, j, swap) {
        for (i = 1; i <= n; i++) copy[i] = list[i]
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
            if (copy[j] < copy[i]) { swap = copy[i]; copy[i] = copy[j]; copy[j] = swap }
        return n % 2 ? copy[(n + 1) / 2] : (copy[n / 2] + copy[n / 2 + 1]) / 2
    }
    NF == 5 { rate[$1, $2, $3] = $4; cpu[$1, $2, $3] = $5; seen[$1 " " $3] = 1
              if ($2 > rounds) rounds = $2 }
    END {
        printf "%-14s %4s %12s %14s %22s %20s\n", "tool", "c", "requests/s",
            "CPU us/request", "our CPU / its CPU", "our rate / its rate"
        for (key in seen) {
            split(key, part, " "); c = part[1]; tool = part[2]; n = 0
            for (r = 1; r <= rounds; r++) if ((c, r, tool) in rate && (c, r, "lab") in rate) {
                n++; a[n] = rate[c, r, tool]; b[n] = cpu[c, r, tool]
                q[n] = cpu[c, r, "lab"] / b[n]; t[n] = rate[c, r, "lab"] / a[n]
            }
            printf "%-14s %4s %12.0f %14.2f %22.2f %20.2f\n", tool, c, median(a, n),
                median(b, n), median(q, n), median(t, n) | "sort -k2,2n -k4,4n"
        }
    }' "$work/runs"
