import { Argument } from 'commander'
import type { Command } from 'commander'
import { examples } from '../define.ts'

/** What each shell runs when a person presses the tab key: it asks `sluice __complete` with the words so far. */
const scripts = {
  bash: `_sluice() {
  local IFS=$'\\n'
  local found="$(sluice __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)"
  COMPREPLY=($(compgen -W "$found" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice`,
  zsh: `#compdef sluice
_sluice() {
  local -a found
  found=("\${(@f)$(sluice __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null | sed 's/:/\\\\:/g' | tr '\\t' ':')}")
  if [[ -n "\${found[*]}" ]]; then _describe sluice found; else _files; fi
}
if [[ "\${funcstack[1]}" == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi`,
  fish: `function __sluice_complete
  set -l words (commandline -opc)
  set -l last (commandline -ct)
  set -l found (sluice __complete -- $words[2..] "$last" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path "$last"
  end
end
complete -c sluice -f -a '(__sluice_complete)'`,
} as const

type Shell = keyof typeof scripts

export function define(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'whose').choices(Object.keys(scripts)))
    .action((shell: Shell) => console.log(scripts[shell]))
  examples(command, [
    [
      'alias sluice="node $PWD/dist/runtime/main.js"',
      'first, in a checkout that was started once: it is not on the PATH',
    ],
    [`echo 'eval "$(sluice completion bash)"' >> ~/.bashrc`, 'in bash, from the next shell on'],
    [`echo 'eval "$(sluice completion zsh)"' >> ~/.zshrc`, 'in zsh, after compinit'],
    ['sluice completion zsh > ~/.zfunc/_sluice', 'or so, with ~/.zfunc in fpath before compinit'],
    ['sluice completion fish > ~/.config/fish/completions/sluice.fish', 'in fish'],
  ])
}
