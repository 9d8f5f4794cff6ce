#compdef podtap

_podtap() {
    local -a found open finished
    local candidate
    found=("${(@f)$(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$((CURRENT - 1)) PODTAP_COMPLETE=zsh \
        podtap -- "${words[@]}" 2>/dev/null)}")
    for candidate in $found; do
        # After a folder or a field of a filter, the word goes on.
        if [[ $candidate == */ || $candidate == *'\:' ]]; then
            open+=("$candidate")
        else
            finished+=("$candidate")
        fi
    done
    (($#open)) && _describe -V 'values' open -S ''
    (($#finished)) && _describe -V 'values' finished
}

# In a folder of $fpath, this file is the function; otherwise it is sourced.
if [[ ${funcstack[1]-} == _podtap ]]; then
    _podtap "$@"
else
    compdef _podtap podtap
fi
