import type { Command } from 'commander'

/** Of a message in Trash: base64url, so one in 64 begins with the sign of an option. */
const idLike = /^-[\w-]{21}$/

/** Puts such ids behind `--`, where they are read as what they are. */
export function idsLast(program: Command, args: readonly string[]): readonly string[] {
  const { options, registeredArguments } = leafOf(program, args)
  if (args.includes('--') || !registeredArguments.some((each) => /^ids?$/.test(each.name()))) return args
  const isNamed = (arg: string) => options.some(({ long, short }) => long === arg || short === arg)
  const isValue = (before = '') =>
    options.some(({ long, short, required }) => required && (long === before || short === before))
  const isId = (arg: string, n: number) => idLike.test(arg) && !isNamed(arg) && !isValue(args[n - 1])
  const ids = args.filter(isId)
  return ids.length === 0 ? args : [...args.filter((arg, n) => !isId(arg, n)), '--', ...ids]
}

/** The command that the first words name. */
function leafOf(command: Command, [word, ...rest]: readonly string[]): Command {
  const next = command.commands.find((each) => each.name() === word)
  return next === undefined ? command : leafOf(next, rest)
}
