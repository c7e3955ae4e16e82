#!/bin/sh
# Fetches the servers that this machine lacks into a private cache. Nothing is
# installed, no service is started, and on Debian and Ubuntu no root is needed:
# packages are downloaded with apt-get and unpacked with dpkg-deb.
#
#   sh chaos/stack/fetch-servers.sh [redis|valkey|postgres]...     default: redis postgres
#
#   BROWNOUT_FETCH=no       download nothing: name what is missing, exit 1
#   BROWNOUT_FETCH=install  on other Linux systems: run the package manager
#   BROWNOUT_PROVIDER=docker  fetch nothing: servers run in containers
#   BROWNOUT_SERVERS=A:B    folders with servers of your own, looked at first
#   BROWNOUT_CACHE=DIR      the private cache, an absolute path. Default: as root
#                           /var/cache/brownout (PostgreSQL runs as another user,
#                           who may not enter /root), else brownout below
#                           $XDG_CACHE_HOME or ~/.cache
#
# Where servers are looked for stands in find.go and search.go too; a test compares.
set -eu
umask 022 # the user that PostgreSQL runs as must be able to read the cache

say() { printf 'servers: %s\n' "$*"; }
die() { printf 'servers: %s\n' "$*" >&2; exit 1; }

fetch=${BROWNOUT_FETCH:-yes}
[ $# -gt 0 ] || set -- redis postgres
for kind; do
	case $kind in redis | valkey | postgres) ;; *) die "unknown server '$kind'; there are redis, valkey, postgres" ;; esac
done

if [ "$(uname -s)" != Linux ]; then
	say "binaries of servers are used on Linux only; elsewhere brownout runs containers, or takes the URLs of running servers (--cache-url, --database-url)"
	exit 0
fi
if [ "${BROWNOUT_PROVIDER:-}" = docker ]; then
	say "none are needed: they run in containers (BROWNOUT_PROVIDER=docker)"
	exit 0
fi

cache_dir() {
	if [ -n "${BROWNOUT_CACHE:-}" ]; then
		cache=$BROWNOUT_CACHE
	elif [ "$(id -u)" = 0 ]; then
		cache=/var/cache/brownout
	elif [ -n "${XDG_CACHE_HOME:-}" ]; then
		cache=$XDG_CACHE_HOME/brownout
	else
		cache=${HOME:-}/.cache/brownout
	fi
	case $cache in /.cache/brownout) die "there is no place for a cache; set BROWNOUT_CACHE to an absolute path" ;;
	/*) ;; *) die "the cache is '$cache'; want an absolute path" ;; esac
}
cache_dir
servers=$cache/servers

# runs DIR PROGRAM [LIBRARIES]: does it say its version?
runs() {
	[ -x "$1/$2" ] && env ${3:+"LD_LIBRARY_PATH=$3"} "$1/$2" --version 2>/dev/null
}

# libraries ROOT: the folders with libraries of packages unpacked there.
libraries() {
	list=
	for dir in "$1"/usr/lib/*-linux-gnu* "$1"/lib/*-linux-gnu*; do
		[ -d "$dir" ] && list=${list:+$list:}$dir
	done
	printf %s "$list"
}

# serves KIND DIR [LIBRARIES]: prints the program in DIR that serves for KIND.
serves() {
	case $1 in
	postgres)
		runs "$2" postgres "${3:-}" | grep -q '^postgres (PostgreSQL)' || return 1
		real=$(dirname "$(readlink -f "$2/postgres")")
		runs "$real" initdb "${3:-}" >/dev/null || return 1
		program=postgres
		;;
	*)
		if [ "$1" = redis ]; then names='redis-server valkey-server' accept='Redis|Valkey'; else names='valkey-server redis-server' accept=Valkey; fi
		for program in $names; do
			runs "$2" "$program" "${3:-}" | grep -Eq "^($accept) server v=" && break
			program=
		done
		[ -n "$program" ] || return 1
		;;
	esac
	printf '%s\n' "$2/$program"
}

# find_server KIND: prints the program that serves for it.
find_server() {
	wanted=$1
	old_ifs=$IFS
	IFS=:
	# shellcheck disable=SC2086 # split at colons, on purpose
	set -- ${BROWNOUT_SERVERS:-} $PATH
	IFS=$old_ifs
	for dir; do
		[ -n "$dir" ] && serves "$wanted" "$dir" && return 0
	done
	find_cached "$wanted" "$servers/$wanted" && return 0
	set -- /usr/local/bin /usr/local/sbin /usr/bin /usr/sbin
	if [ "$wanted" = postgres ]; then
		set -- "$@" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
			/usr/local/pgsql/bin /usr/local/postgresql*/bin /usr/lib/postgresql*/bin \
			/opt/postgresql*/bin /usr/local/lib/postgresql/*
	fi
	for dir; do
		serves "$wanted" "$dir" && return 0
	done
	return 1
}

# find_cached KIND ROOT: the same in packages unpacked below ROOT.
find_cached() {
	libs=$(libraries "$2")
	for dir in "$2/usr/bin" "$2"/usr/lib/postgresql/*/bin; do
		serves "$1" "$dir" "$libs" && return 0
	done
	return 1
}

# apt [ARGUMENT]...: apt-get that needs no root and touches nothing of the
# system: no locks, no hooks, no change of user.
apt() { apt-get -q -c "$work/apt.conf" "$@"; }

# apt_config LISTS STATUS: package lists of the system or our own (private), and
# what is installed already according to the file STATUS.
apt_config() {
	mkdir -p "$work/state/lists/partial" "$work/archives/partial"
	{
		printf '#clear APT::Update;\n#clear DPkg;\n'
		printf 'Debug::NoLocking "1";\nAPT::Sandbox::User "";\nAPT::Get::Assume-Yes "1";\n'
		printf 'Acquire::Languages "none";\nAcquire::Retries "2";\n'
		printf 'Dir::Cache "%s";\nDir::Cache::archives "%s";\n' "$work" "$work/archives"
		printf 'Dir::State::status "%s";\n' "$2"
		[ "$1" = system ] || printf 'Dir::State "%s";\n' "$work/state"
		[ ! -e "$work/backports" ] || printf 'Dir::Etc::sourcelist "%s";\n' "$work/backports"
	} >"$work/apt.conf"
}

# backports adds Debian's backports to lists of our own: Debian 12 has Valkey there
# only. The system's own sources are left as they are.
backports() {
	codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || return 0
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s-backports main\n' \
		http://deb.debian.org/debian "$codename" >"$work/backports"
}

# missing_packages PACKAGE: what apt would install for it, as name=version: the
# server and its libraries. The C library is always the system's: it fits to the
# system's loader only. PostgreSQL goes without its JIT compiler.
missing_packages() {
	apt -s --no-install-recommends install "$1" 2>"$work/log" |
		sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\{0,1\}(\([^ ]*\).*/\1=\3/p' |
		grep -E '^((redis|valkey)[^=]*|postgresql-[0-9]+|lib[^=]*|tzdata)=' |
		grep -Ev '^lib(c6|c-bin|llvm[^=]*|z3[^=]*|perl[^=]*|[^=]*-perl)='
}

# download PACKAGE: into $work/debs.
download() {
	packages=$(missing_packages "$1") || return 1
	[ -n "$packages" ] || return 1
	rm -rf "$work/debs"
	mkdir "$work/debs"
	say "downloading $(echo "$packages" | tr '\n' ' ')"
	# shellcheck disable=SC2086 # one word a package
	(cd "$work/debs" && apt download $packages >"$work/log" 2>&1)
}

# fetch_apt KIND: with the system's package lists; when these are missing or out of
# date with lists of our own; when packages of the system contradict each other as
# if none were installed.
fetch_apt() {
	case $1 in postgres) package=postgresql ;; *) package=$1-server ;; esac
	apt_config system /var/lib/dpkg/status
	if ! download "$package"; then
		say "the system's package lists do not suffice; fetching lists of our own"
		[ "$1" != valkey ] || backports
		apt_config private /var/lib/dpkg/status
		apt update >"$work/update" 2>&1 || die "fetching package lists failed: $(tail -n 3 "$work/update" | tr '\n' ' ')"
		if ! download "$package"; then
			: >"$work/nothing"
			apt_config private "$work/nothing"
			download "$package" || die "downloading $package failed: $(grep -hE '^[EW]:' "$work/log" "$work/update" | head -n 3 | tr '\n' ' ')"
		fi
	fi
	mkdir "$work/root"
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$work/root"
	done
	chmod 755 "$work/root"
	find_cached "$1" "$work/root" >/dev/null || die "the packages for $1 were unpacked, but the server does not run"
	if [ -e "$servers/$1" ]; then # it does not run, or we would not be here
		mv "$servers/$1" "$work/broken"
	fi
	mv "$work/root" "$servers/$1"
}

# system_command KIND: what installs it elsewhere. None of these starts a service.
system_command() {
	case $1 in postgres) name=postgresql ;; *) name=$1 ;; esac
	if command -v dnf >/dev/null; then
		case $1 in postgres) name=postgresql-server ;; esac
		echo "dnf install -y $name"
	elif command -v apk >/dev/null; then
		echo "apk add $name"
	elif command -v zypper >/dev/null; then
		case $1 in postgres) name=postgresql-server ;; esac
		echo "zypper --non-interactive install $name"
	elif command -v pacman >/dev/null; then
		echo "pacman -S --noconfirm $name"
	elif command -v brew >/dev/null; then
		echo "brew install $name"
	fi
}

# fetch_system KIND: through the package manager, if that is allowed.
fetch_system() {
	command=$(system_command "$1")
	[ -n "$command" ] || die "$1 is missing, and no package manager is known here; put it into PATH or BROWNOUT_SERVERS"
	[ "$fetch" = install ] || die "$1 is missing; install it with '$command', or allow that with BROWNOUT_FETCH=install"
	say "running $command"
	$command
	find_server "$1" >/dev/null || die "$1 is still not found after '$command'"
}

fetch_one() {
	if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
		work=$servers/.$1.new.$$ # beside the result, so that the last step is a rename
		mkdir "$work"
		trap 'rm -rf "$work"' EXIT
		trap 'exit 130' INT TERM
		fetch_apt "$1"
		rm -rf "$work"
	else
		fetch_system "$1"
	fi
	say "$1: $(find_server "$1")"
}

missing=
for kind; do
	find_server "$kind" >/dev/null || missing="$missing $kind"
done
[ -n "$missing" ] || exit 0
[ "$fetch" != no ] || die "missing:$missing; fetching is off (BROWNOUT_FETCH=no)"

mkdir -p "$servers" || die "the cache $servers cannot be made; set BROWNOUT_CACHE to a folder that can"
exec 9>"$servers/.lock"
if command -v flock >/dev/null; then flock 9; fi
rm -rf "$servers"/.*.new.* # of runs that were killed: we hold the lock
for kind in $missing; do
	find_server "$kind" >/dev/null || fetch_one "$kind" # else: another run was faster
done
