/**
 * What this project uses of libp2p, all of it behind one door: a few hundred small modules, which the build puts into
 * one chunk that is loaded when a mesh is joined.
 */
export { noise } from '@chainsafe/libp2p-noise'
export { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
export { mdns } from '@libp2p/mdns'
export { peerIdFromPrivateKey } from '@libp2p/peer-id'
export { tcp } from '@libp2p/tcp'
export { yamux } from '@libp2p/yamux'
export { multiaddr } from '@multiformats/multiaddr'
export { createLibp2p, type Libp2p } from 'libp2p'
