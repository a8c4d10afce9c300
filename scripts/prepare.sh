# Sourced by the scripts beside it: checks for Go, builds .lab/bin/sgdlab if it is stale,
# and leaves the folder of the clone in $root and that program in $sgdlab.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
sgdlab=$root/.lab/bin/sgdlab
export GOEXPERIMENT=simd

fail() {
	echo "${0##*/}: $1" >&2
	exit 1
}

install_go="install Go 1.26.5 or newer from go.dev/dl and put its bin folder first in PATH"
command -v go >/dev/null || fail "there is no go command in PATH: $install_go"
have=$(cd "$root" && go env GOVERSION 2>/dev/null) || have=$(cd / && go env GOVERSION)
have=${have#go}
have=${have%%-*}
[[ $(printf '%s\n' 1.26.5 "$have" | sort -V | head -n 1) == 1.26.5 ]] || fail "Go $have is too old: $install_go"

mkdir -p "$root/.lab/bin" 2>/dev/null || fail "$root/.lab cannot be made: make the folder writable, or free some disk space"
[[ -x $sgdlab ]] || echo "building sgdlab; the first time this takes a minute"
if ! said=$(cd "$root" && GOWORK=off go build -buildvcs=false -tags=noxla -o "$sgdlab" ./kernelext/cmd/sgdlab 2>&1); then
	case $said in
	*'no space left'* | *'quota exceeded'*) fail "the disk is full: free about 3 GB, or set GOCACHE, GOMODCACHE and TMPDIR to a larger disk" ;;
	*'dial tcp'* | *'no such host'* | *timeout* | *'connection refused'* | *'unreachable'*) fail "Go modules cannot be downloaded: connect to the network, or fix the proxy settings" ;;
	*GOPROXY=off*) fail "Go modules are missing and GOPROXY=off forbids to download them: unset GOPROXY" ;;
	*)
		[[ -x $sgdlab ]] || fail "sgdlab does not build: $said"
		echo "${0##*/}: going on with the last sgdlab that was built, because the code does not build:" >&2
		head -n 5 <<<"$said" >&2
		;;
	esac
fi
