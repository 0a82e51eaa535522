import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** What a schema found, each fault once: a number beyond all whole numbers is also beyond the bound of its own, which is what to keep to. */
export function issuesOf({ issues }: z.core.$ZodError): readonly Issue[] {
  return issues.filter((issue, index) => !issues.slice(index + 1).some((later) => isSameBound(issue, later)))
}

const isSameBound = (one: Issue, other: Issue): boolean =>
  (one.code === 'too_big' || one.code === 'too_small') &&
  one.code === other.code &&
  one.path.length === other.path.length &&
  one.path.every((part, index) => part === other.path[index])
