import { grouped } from '../show/format.ts'
import type { Known } from './book.ts'

/** How much of it there is, and what to do where a list can't go on, if something can be done: `isNarrowable`. */
export function extentOf({ total, isWhole, isCut }: Known, many: string, isNarrowable: boolean): string {
  if (isCut)
    return `A list ends after ${grouped(total)} ${many}, and there are more${isNarrowable ? ': narrow it by what is above' : ''}`
  return isWhole ? `${grouped(total)} in all` : `${grouped(total)} read, there are more ${many}`
}
