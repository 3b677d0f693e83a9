# SPDX-License-Identifier: BSD-3-Clause
# Completion of bulkhead(8) for bash.

_bulkhead()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	case $prev in
	-c | --config | --check)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	-r | --run-dir | -p | --yang-path | -B | --build-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		;;
	--user | --group)
		mapfile -t COMPREPLY < <(compgen -A "${prev#--}" -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W '--config --check --run-dir --yang-path
			--build-dir --user --group --no-huge --allow-missing --healthy --keep-hung-core --verbose --help --version' -- "$cur")
		;;
	esac
}

complete -o filenames -F _bulkhead bulkhead
