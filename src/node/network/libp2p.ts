/**
 * What this project uses of libp2p, and the packets of multicast DNS, all behind one door: a few hundred small modules,
 * which the build puts into one chunk that is loaded when a mesh is joined.
 */
export { noise } from '@chainsafe/libp2p-noise'
export { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
export { mdns } from '@libp2p/mdns'
export { peerIdFromPrivateKey } from '@libp2p/peer-id'
export { tcp } from '@libp2p/tcp'
export { yamux } from '@libp2p/yamux'
export { multiaddr } from '@multiformats/multiaddr'
export { AUTHORITATIVE_ANSWER, decode as decodeDns, encode as encodeDns } from 'dns-packet'
export { createLibp2p, type Libp2p } from 'libp2p'
