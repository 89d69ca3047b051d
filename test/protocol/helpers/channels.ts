import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import type { Channel } from '../../../src/protocol/channel.ts'
import type { Message } from '../../../src/protocol/messages.ts'
import { openChannel } from '../../../src/protocol/open-channel.ts'
import { meshKey } from './keys.ts'

export interface ChannelPair {
  readonly alice: Channel
  readonly bob: Channel
  readonly streams: { readonly alice: Stream; readonly bob: Stream }
}

export async function channelPair(): Promise<ChannelPair> {
  const [one, two] = await streamPair()
  const [alice, bob] = await Promise.all([
    openChannel(one, { key: meshKey, role: 'dialler', localPeer: 'alice', remotePeer: 'bob' }),
    openChannel(two, { key: meshKey, role: 'listener', localPeer: 'bob', remotePeer: 'alice' })
  ])
  return { alice, bob, streams: { alice: one, bob: two } }
}

/** Reads until this many messages have come, or the channel ends. */
export async function take(messages: AsyncIterator<Message>, count: number): Promise<Message[]> {
  const taken: Message[] = []
  while (taken.length < count) {
    const next = await messages.next()
    if (next.done === true) break
    taken.push(next.value)
  }
  return taken
}

/** Everything until the channel ends. */
export async function readAll(messages: AsyncIterable<Message>): Promise<Message[]> {
  const all: Message[] = []
  for await (const message of messages) all.push(message)
  return all
}
