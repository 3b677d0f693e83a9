# SPDX-License-Identifier: BSD-3-Clause
# Completion of bhctl(8) for bash.

# First field of every line of the list's records, cut out of the JSON form.
_bhctl_names()
{
	"$1" "${@:2}" -j show interfaces 2>/dev/null | sed -n 's/^{"name":"\([^"]*\)".*/\1/p'
}

_bhctl_processes()
{
	"$1" "${@:2}" -j show processes 2>/dev/null | sed -n 's/^{"name":"\([^"]*\)".*/\1/p' |
		grep -vx core
}

_bhctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local -a words=() where=()
	local i word reply=''

	COMPREPLY=()
	case $prev in
	-r | --run-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-s | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-w | --repeat)
		return
		;;
	--binary)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-r | --run-dir | -s | --socket)
			where=("$word" "${COMP_WORDS[++i]}")
			;;
		-w | --repeat | --binary)
			((i++))
			;;
		-*) ;;
		*)
			words+=("$word")
			;;
		esac
	done
	if [[ $cur == -* ]]; then
		reply='--json --binary --check --repeat --run-dir --socket --help --version'
	elif ((${#words[@]} == 0)); then
		reply='show module reconcile help'
	elif [[ ${words[0]} == m* ]]; then
		case ${#words[@]} in
		1) reply='restart stop start upgrade replay renew' ;;
		2) reply=$(_bhctl_processes "${COMP_WORDS[0]}" "${where[@]}") ;;
		esac
	elif [[ ${words[0]} == r* ]]; then
		reply='--check'
	elif ((${#words[@]} == 1)); then
		reply='addresses connections counters fpm interfaces lcores memory neighbors nexthops
			processes routes sockets tables version'
	else
		case ${words[1]} in
		i*)
			((${#words[@]} == 2)) && reply=$(_bhctl_names "${COMP_WORDS[0]}" "${where[@]}")
			;;
		cou*)
			((${#words[@]} == 2)) &&
				reply="drops $(_bhctl_names "${COMP_WORDS[0]}" "${where[@]}")"
			;;
		r*)
			reply='ipv4 ipv6 longer lookup'
			;;
		s*)
			((${#words[@]} == 2)) && reply='tcp udp'
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$reply" -- "$cur")
}

complete -F _bhctl bhctl
