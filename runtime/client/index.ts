/**
 * `sluiceway/client`: the HTTP API of an engine, typed by its openapi.json. Uses fetch and nothing of Node, so that it runs in
 * Node, in browsers and at the edge.
 */
export { answerOf, dataOf, ifMatch } from './answer.ts'
export type { Answer } from './answer.ts'
export { openEngine } from './engine.ts'
export type { Engine, EngineOptions } from './engine.ts'
export type { EngineEvent, Watching } from './events.ts'
export { Refused, statusOf } from './problem.ts'
export { Conflict, Invalid, LostRace, NotFound, Unavailable } from '../errors.ts'
export type { Fault } from '../errors.ts'
export type * from './openapi.d.ts'
