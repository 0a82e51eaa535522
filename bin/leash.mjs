// Loaded into the engine by start.mjs: ends it, as SIGTERM does, when start.mjs is gone (killed) and can't say so.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
// The channel alone must not keep a finished engine alive.
process.channel?.unref()
