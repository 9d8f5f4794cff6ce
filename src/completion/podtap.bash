# Bash splits words at `=` and `:`, podtap does not: what no blank separates is joined again.
_podtap() {
    local words=() rest=${COMP_LINE:0:COMP_POINT} blank part last n
    for ((n = 0; n <= COMP_CWORD; n++)); do
        blank=${rest%%[![:space:]]*}
        rest=${rest#"$blank"}
        part=${COMP_WORDS[n]}
        if ((n == COMP_CWORD)); then part=$rest; fi
        if [[ -n $blank || ${#words[@]} -eq 0 ]]; then words+=(""); fi
        last=$((${#words[@]} - 1))
        words[last]+=$part
        rest=${rest#"$part"}
    done

    # Readline replaces only what follows the last `=` or `:`.
    local kept=${words[last]%"$2"} found
    COMPREPLY=()
    while IFS= read -r found; do
        if [[ -n $found ]]; then COMPREPLY+=("${found#"$kept"}"); fi
    done < <(
        _CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$last PODTAP_COMPLETE=bash \
            podtap -- "${words[@]}" 2>/dev/null
        echo
    )
    if [[ ${COMPREPLY-} == *[=/:] ]]; then compopt -o nospace 2>/dev/null; fi
}

if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
    complete -o bashdefault -o nosort -F _podtap podtap
else
    complete -o bashdefault -F _podtap podtap
fi
