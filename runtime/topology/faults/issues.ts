import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** What a schema found, each fault once: a number beyond all whole numbers is also beyond the bound of its own, which is what to keep to. */
export function issuesOf({ issues }: z.core.$ZodError): readonly Issue[] {
  const bounds = new Set<string>()
  const kept: Issue[] = []
  for (const issue of issues.toReversed()) {
    if (issue.code === 'too_big' || issue.code === 'too_small') {
      const bound = JSON.stringify([issue.code, ...issue.path.map(String)])
      if (bounds.has(bound)) continue
      bounds.add(bound)
    }
    kept.push(issue)
  }
  return kept.reverse()
}
