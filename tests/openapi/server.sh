# A small company on a server at $url, with the token $token and the temporary folder $work; it ends with the script.
# Sourced by the scripts beside it, which set $root and $program.

[ -x "$program" ] || { echo "error: $program is not there; build it with \`cargo build\`" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/tmp}/accredit-openapi.XXXXXX")
server=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$server" ] || wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

mkdir -p "$work"/company/{organization,plans,policies/rollup}
cat >"$work/company/accredit.toml" <<'FILE'
credit_types = ["booking"]
reason_codes = ["error", "dispute"]

[workspace]
name = "Small"

[fields]
id = "id"
date = "date"
amount = "amount"
owner = ["owner"]

[sources.crm]
connector = "standard-webhooks"
FILE
cat >"$work/company/organization/participants.csv" <<'FILE'
id,name,title,manager
ann,Ann,Rep,max
bob,Bob,Rep,max
max,Max,Manager,dee
dee,Dee,Director,
FILE
cat >"$work/company/plans/reps.toml" <<'FILE'
name = "Reps"
targets = ["title:Rep"]
split = "equal"
policies = { rollup = "share" }

[[direct]]
name = "Booking"
[[direct.results]]
name = "Booking credit"
credit_type = "booking"
rollable = true

[[indirect]]
name = "Managers"
relationship = "Reporting"
[[indirect.results]]
name = "Managers credit"
credit_type = "booking"
duplicates = true
FILE
cat >"$work/company/policies/rollup/share.rhai" <<'FILE'
const PERCENT = 50;
fn roll(tx, credit, to, existing) {
    credit.amount * PERCENT / 100
}
FILE

token=openapi-token-$RANDOM$RANDOM$RANDOM
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
ACCREDIT_PEER_LIMIT=none ACCREDIT_TOKEN=$token timeout 3600 "$program" serve --data "$work/small.redb" --create \
  --workspace "$work/company" --listen "127.0.0.1:$port" --backups "$work/backups" \
  >"$work/out.log" 2>"$work/err.log" &
server=$!
url=http://127.0.0.1:$port
python3 - "$url" "$token" <<'FILE' || { cat "$work/err.log" >&2; exit 1; }
import sys, time, urllib.request
url, token = sys.argv[1:]
for _ in range(300):
    try:
        urllib.request.urlopen(url + "/readyz").read()
        break
    except OSError:
        time.sleep(0.1)
else:
    sys.exit("the server does not become ready")
rows = "id,date,amount,owner\n" + "".join(
    f"D{n},2026-{n % 12 + 1:02}-15,{100 + 7 * n}.{n:02},{['Ann', 'Bob', 'Ann;Bob', 'nobody'][n % 4]}\n" for n in range(60))
headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
request = urllib.request.Request(url + "/v1/transactions", rows.encode(), headers)
print(urllib.request.urlopen(request).read().decode())
FILE
