// BullMQ for Node: how many jobs without work it does a second, and how late it begins those with a delay.
import { Redis } from 'ioredis'
import { Queue, Worker } from 'bullmq'

const [socket, prefix, jobs, delayed, concurrency] = process.argv.slice(2)
const open = () => new Redis({ path: socket, maxRetriesPerRequest: null })
const queue = new Queue('background', { connection: open(), prefix })
const options = { priority: 10, attempts: 5, removeOnComplete: { age: 3600, count: 10_000 } }

const many = Array.from({ length: Number(jobs) }, (_, number) => ({
  name: 'nothing', data: { number }, opts: { ...options, jobId: `nothing-${number}` },
}))
const adding = performance.now()
for (let start = 0; start < many.length; start += 200) await queue.addBulk(many.slice(start, start + 200))
const added = performance.now() - adding

let left = many.length + Number(delayed)
const late = []
let finish
const finished = new Promise((resolve) => { finish = resolve })
let doneMany
const many_finished = new Promise((resolve) => { doneMany = resolve })
const beginning = performance.now()
const worker = new Worker('background', async (job) => {
  if (job.name === 'delayed') late.push(Date.now() - job.data.due)
  left -= 1
  if (left === Number(delayed)) doneMany()
  if (left === 0) finish()
}, { connection: open(), prefix, concurrency: Number(concurrency) })
await many_finished
const worked = performance.now() - beginning

const first = Date.now() + 500
for (let number = 0; number < Number(delayed); number += 1) {
  const due = first + 10 * number
  await queue.add('delayed', { due }, { ...options, jobId: `delayed-${number}`, delay: due - Date.now() })
}
await finished
console.log(JSON.stringify({ added: many.length / added * 1000, worked: many.length / worked * 1000, late }))
process.exit(0)
