/**
 * dist-node: a zero-config compute mesh. This file is the one door; everything public is exported here.
 *
 * @packageDocumentation
 */
export { PrintError } from './codec/errors.ts'
export { JournalError, type JournalErrorCode } from './journal/errors.ts'
export type { JobEnd, JobsSent, JobTraffic, ResultsPassed } from './node/diagnostics.ts'
export type { Unreachable } from './node/network/dialler.ts'
export { diagnose, type DiagnoseOptions } from './node/doctor/doctor.ts'
export type { Finding } from './node/doctor/finding.ts'
export { JobError, type JobErrorCode, MeshError, type MeshErrorCode, UsageError } from './node/errors.ts'
export type { DetachOptions, FindOptions } from './node/held/held.ts'
export type { AttachedRun, AttachOptions } from './node/held/held-attach.ts'
export type { DetachedRun } from './node/held/held-detach.ts'
export type { HeldRunInfo } from './node/held/held-find.ts'
export type { CallOptions } from './node/run/call-target.ts'
export { isJob, type Job, job, type JobLike, type JobOptions, type JobValue } from './node/run/job.ts'
export { type Journal, openJournal, type RunState, type RunSummary } from './node/memory/journal.ts'
export { type JobsFile, loadJobsFile } from './node/jobs-file.ts'
export { type CacheInfo, cacheInfo, clearCache } from './node/memory/memories.ts'
export type { Refusal } from './node/network/session-opener.ts'
export { createDistNode, type DistNode } from './node/node.ts'
export type { DistNodeEvents, HostedRunStatus, PeerStatus } from './node/node-events.ts'
export type { JournalOptions, NodeOptions, ResumeOptions, RunOptions } from './node/options.ts'
export {
  DEFAULT_GRACE_MS,
  findPassword,
  type FoundPassword,
  locatePassword,
  passwordFile,
  type PasswordOptions,
  rotatePassword,
  storePassword
} from './node/password/password.ts'
export { makePassword } from './node/password/password-format.ts'
export type { JobFailure, JobPlace, JobResult, JobSuccess } from './node/run/result.ts'
export type { Run } from './node/run/run.ts'
export type { RunProgress } from './node/run/run-tally.ts'
export type { LogLine } from './node/run/submitter.ts'
export { VERSION } from './node/version.ts'
export { SandboxError } from './worker/errors.ts'
