import type { Sanity } from '../../../doubles/sanity/sanity.ts'
import type { TestAsset } from './support.ts'

export type Fault = Parameters<Sanity['fault']>[1]

/** Each fault hits the first of three assets only. */
export const ofFirst = ({ url }: TestAsset, fault: Fault): Fault => ({ ...fault, when: ({ path }) => path === new URL(url).pathname })
export const processed = { bytes: Buffer.from('processed') }
