# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A kernel with all of scripts/mutations in it, of which the parameter "mutation=" chooses one.
# Sourced after common.sh.

# For scripts/vm as well: the tree that its kernel is of.
MUTANT=$VSVM_BUILD/linux-mutant

# The tree, and objects as they are without a mistake, so that only what is different is compiled.
# Both stay as they are while the mistakes and the kernel do.
prepare_mutant() {
	local key=$MUTANT.key
	cat "$VSVM_TOP/scripts/mutations/mutations.patch" "$VSVM_BUILD/kernel-base/inputs" >"$key.new"
	! cmp -s "$key.new" "$key" || return 0
	rm -f "$key"
	rm -rf "$MUTANT" "$VSVM_BUILD/kernel-base-src"
	cp -al "$VSVM_BUILD/linux" "$MUTANT"
	patch -d "$MUTANT" -p1 --fuzz=0 --no-backup-if-mismatch -s \
		<"$VSVM_TOP/scripts/mutations/mutations.patch"
	cp -a "$VSVM_BUILD/kernel-base" "$VSVM_BUILD/kernel-base-src"
	rm -f "$VSVM_BUILD/kernel-base-src/inputs"
	mv "$key.new" "$key"
}

mutant_kernel() {
	"$VSVM_TOP/scripts/kernel" base
	step mutant-tree "tree of the mutant" prepare_mutant
	VSVM_LINUX_SRC=$MUTANT VSVM_LINUX_AS_IS=1 "$VSVM_TOP/scripts/kernel" base
}
