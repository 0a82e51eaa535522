/**
 * The tables. Ids are texts that the engine makes itself. Runs and Trash carry no foreign key to topologies: their
 * history outlives a deleted topology, and the recorder must never be stopped by one.
 */
export * from './access.ts'
export * from './trash/bulks.ts'
export * from './figures.ts'
export * from './gates.ts'
export * from './cursors.ts'
export * from './history.ts'
export * from './runs.ts'
export * from './topologies.ts'
export * from './trash/trash.ts'
export * from './workers.ts'
export * from './webhooks.ts'
