// A program that knows nothing of CodePark looks at its queue, and adds a job of its own.
import { Redis } from 'ioredis'
import { Queue, QueueEvents } from 'bullmq'

const [socket, prefix] = process.argv.slice(2)
const connection = new Redis({ path: socket, maxRetriesPerRequest: null })
const queue = new Queue('background', { connection, prefix })
const events = new QueueEvents('background', { connection, prefix })
await events.waitUntilReady()

const shown = []
for (const job of await queue.getJobs(['completed', 'failed', 'delayed', 'prioritized', 'waiting'])) {
  shown.push({
    id: job.id,
    name: job.name,
    state: await job.getState(),
    progress: job.progress,
    attempts: job.attemptsMade,
    reason: job.failedReason ?? null,
    data: job.data,
    priority: job.opts.priority,
  })
}
const counts = await queue.getJobCounts('completed', 'failed', 'delayed')
const schedules = (await queue.getJobSchedulers()).map(({ key, pattern, tz }) => ({ key, pattern, tz }))

const added = await queue.add('note', { account: 'from-node' }, { attempts: 2 })
await added.waitUntilFinished(events, 20_000)
console.log(JSON.stringify({ shown, counts, schedules, added: await added.getState() }))
await events.close()
await queue.close()
await connection.quit()
