# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For the steps of `make test` (scripts/test.d): counting, and the closing line that scripts/test
# adds up. Sourced after common.sh.

passed=0 failed=0 skipped=0

# check NAME CMD...: one test; CMD must succeed. Its output is shown only if it does not. Never
# call it as a condition: bash would then go on after an error within CMD.
check() {
	local name=$1 output rc
	shift
	set +e
	output=$(
		set -e
		"$@" 2>&1 </dev/null
	)
	rc=$?
	set -e
	if [[ $rc -eq 0 ]]; then
		echo "ok       $name"
		passed=$((passed + 1))
	else
		echo "not ok   $name"
		printf '%s\n' "$output" | sed 's/^/         /'
		failed=$((failed + 1))
	fi
}

# finish: the closing line, and the exit status.
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[[ $failed -eq 0 ]]
}

# meson_tests NAME [OPTION...]: runs the tests of build/NAME and closes with their counts.
meson_tests() {
	local name=$1
	shift
	rm -f "$VSVM_BUILD/$name/meson-logs/testlog.json"
	"$VSVM_TOP/scripts/in-root" meson test -C "build/$name" --print-errorlogs "$@" || true
	"$VSVM_TOP/scripts/in-root" python3 - "build/$name/meson-logs/testlog.json" <<-'EOF'
		import json, sys
		count = {"passed": 0, "failed": 0, "skipped": 0}
		kinds = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
		try:
		    with open(sys.argv[1], encoding="utf-8") as log:
		        results = [json.loads(line)["result"] for line in log]
		except OSError:
		    results = ["FAIL"]
		for result in results:
		    count[kinds.get(result, "failed")] += 1
		print(", ".join(f"{number} {kind}" for kind, number in count.items()))
		sys.exit(count["failed"] > 0 or not results)
	EOF
}
