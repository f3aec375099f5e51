import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
var __webpack_exports__ = {};

;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");
;// CONCATENATED MODULE: external "node:worker_threads"
const external_node_worker_threads_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:worker_threads");
;// CONCATENATED MODULE: external "node:stream"
const external_node_stream_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:stream");
;// CONCATENATED MODULE: ./lib/streams/comparison.js
/** Makes a {@link Comparison}. `release` gets each block once all of its content was compared. */
function makeComparison(release) {
    const contents = [];
    const pieces = [];
    let compared = 0;
    const compare = () => {
        for (let [expected, found] = [contents[0], pieces[0]]; expected && found; [expected, found] = [contents[0], pieces[0]]) {
            const size = Math.min(expected.rest.length, found.rest.length);
            if (!expected.rest.subarray(0, size).equals(found.rest.subarray(0, size)))
                throw new Error(`it is another one from byte ${compared} on`);
            compared += size;
            expected.rest = expected.rest.subarray(size);
            found.rest = found.rest.subarray(size);
            if (expected.rest.length === 0) {
                contents.shift();
                release(expected.block);
            }
            if (found.rest.length === 0) {
                pieces.shift();
                free(found.piece);
            }
        }
    };
    return {
        expect: (block, bytes) => {
            contents.push({ block, rest: Buffer.from(block, 0, bytes) });
            compare();
        },
        found: (piece) => {
            pieces.push({ piece, rest: piece });
            compare();
        },
        bytes: () => compared,
        tooMuch: () => pieces.length > 0,
    };
}
/** Frees memory at once if the piece is the last, or all, of it: zlib fills a buffer from its beginning, sometimes piece by piece. */
function free({ buffer, byteOffset, length }) {
    if (byteOffset + length === buffer.byteLength && !buffer.detached)
        buffer.transfer(0);
}

;// CONCATENATED MODULE: ./lib/codec/age-error.js
const words = {
    locked: 'none of the identities opens the file',
    unasked: 'it is encrypted, and no identity was tried',
    armored: 'the file is an age file in text form (armor)',
    foreign: 'the file is not an age file of version 1',
    damaged: 'the file is damaged: what it holds is not what was encrypted',
};
/**
 * An age file that could not be opened. Its words are ours alone and it has no cause: messages of the age library can contain the secret key.
 * Callers that know the file make a `BackupError` of it.
 */
class AgeError extends Error {
    reason;
    constructor(reason) {
        super(words[reason]);
        this.name = 'AgeError';
        this.reason = reason;
    }
}

;// CONCATENATED MODULE: ./lib/codec/age-payload.js


/**
 * The payload of an age file: what follows the header (C2SP age specification, "Payload"). A nonce of 16 bytes, then chunks of 64 KiB, each
 * encrypted with ChaCha20-Poly1305 under its number and a flag that says whether it is the last.
 */
const nonceBytes = 16;
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const algorithm = 'chacha20-poly1305';
/** So many chunks come out of `sealPayload` at a time: each trip to the disk costs more than joining them. */
const chunksTogether = 8;
/** Encrypts to a nonce and chunks. Each call draws a new nonce, so a file key can be used more than once. */
async function* sealPayload(fileKey, content) {
    const nonce = randomBytes(nonceBytes);
    const key = payloadKey(fileKey, nonce);
    let ready = [nonce];
    let number = 0;
    for await (const { piece, isLast } of inPieces(content, chunkBytes)) {
        const cipher = createCipheriv(algorithm, key, chunkNonce(number, isLast), { authTagLength: tagBytes });
        ready.push(cipher.update(piece), cipher.final(), cipher.getAuthTag());
        number++;
        if (isLast || number % chunksTogether === 0) {
            yield Buffer.concat(ready);
            ready = [];
        }
    }
}
/**
 * Decrypts the chunks behind a nonce, and gives each one only once it is known to be what was encrypted, at this place. Throws `damaged` for any
 * other, for a payload without its last chunk, and for bytes behind that. What was given until then is the beginning of the content: it must not
 * be used before the end was reached.
 */
async function* openPayload(fileKey, nonce, chunks) {
    const key = payloadKey(fileKey, nonce);
    let number = 0;
    for await (const { piece, isLast } of inPieces(chunks, chunkBytes + tagBytes)) {
        const content = openChunk(key, chunkNonce(number, isLast), piece);
        // Only empty content has an empty chunk. Otherwise one content would have two valid files.
        if (content === undefined || (content.length === 0 && number > 0))
            throw new AgeError('damaged');
        number++;
        if (content.length > 0)
            yield content;
    }
}
/** The content of a chunk; undefined if it is not authentic. */
function openChunk(key, nonce, chunk) {
    if (chunk.length < tagBytes)
        return undefined;
    const decipher = (0,external_node_crypto_namespaceObject.createDecipheriv)(algorithm, key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(chunk.subarray(-tagBytes));
    const content = decipher.update(chunk.subarray(0, -tagBytes));
    try {
        decipher.final();
        return content;
    }
    catch {
        return undefined;
    }
}
function payloadKey(fileKey, nonce) {
    return (0,external_node_crypto_namespaceObject.createSecretKey)(new Uint8Array((0,external_node_crypto_namespaceObject.hkdfSync)('sha256', fileKey, nonce, 'payload', 32)));
}
/** The chunk's number in eleven bytes, of which a file that fits on a disk needs six, and one byte that marks the last chunk. */
function chunkNonce(number, isLast) {
    const nonce = Buffer.alloc(12);
    nonce.writeUIntBE(number, 5, 6);
    nonce.writeUInt8(isLast ? 1 : 0, 11);
    return nonce;
}
/**
 * Cuts a stream into pieces of exactly `size` bytes; the last one holds what is left, and is empty only if the stream is. Whether a piece is the
 * last is known only when more comes, so one piece is held back. Only what does not fill a piece is copied.
 */
async function* inPieces(chunks, size) {
    const held = Buffer.allocUnsafe(size);
    let used = 0;
    for await (const chunk of chunks) {
        for (let start = 0; start < chunk.length;) {
            if (used === size) {
                yield { piece: held, isLast: false };
                used = 0;
            }
            if (used === 0 && chunk.length - start > size) {
                yield { piece: chunk.subarray(start, start + size), isLast: false };
                start += size;
            }
            else {
                const copied = chunk.copy(held, used, start);
                used += copied;
                start += copied;
            }
        }
    }
    yield { piece: held.subarray(0, used), isLast: true };
}

;// CONCATENATED MODULE: ./lib/codec/age-open.js


/** Opens a file of this run with what is remembered of it. Its header must be the one that was written, byte by byte. */
function openSealed(key, chunks) {
    return openWith(chunks, (header) => {
        if (!header.equals(key.header))
            throw new AgeError('damaged');
        return key.fileKey;
    });
}
/** Opens an age file with the file key that is found for its header. */
async function* openWith(chunks, findFileKey) {
    const iterator = chunks[Symbol.asyncIterator]();
    // Read in two loops, neither of which may close it for the other.
    const source = { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
    try {
        const { header, nonce, behind } = await takeBeginning(source);
        yield* openPayload(await findFileKey(header), nonce, chain(behind, source));
    }
    finally {
        await iterator.return?.();
    }
}
async function* chain(first, others) {
    yield first;
    yield* others;
}
const firstLine = Buffer.from('age-encryption.org/v1\n');
const armorLine = Buffer.from('-----BEGIN AGE');
/** Room for more than a hundred hybrid recipients of 1.5 kB. A header without end would otherwise be kept in memory whole. */
const mostHeaderBytes = 256 * 1024;
/** Takes the header and the nonce off the beginning of a file. */
async function takeBeginning(chunks) {
    let bytes = Buffer.alloc(0);
    for await (const chunk of chunks) {
        bytes = Buffer.concat([bytes, chunk]);
        checkFirstLine(bytes);
        const end = endOfHeader(bytes);
        if ((end ?? bytes.length) > mostHeaderBytes)
            break;
        if (end !== undefined && bytes.length >= end + nonceBytes) {
            return { header: bytes.subarray(0, end), nonce: bytes.subarray(end, end + nonceBytes), behind: bytes.subarray(end + nonceBytes) };
        }
    }
    throw new AgeError('damaged');
}
/** Throws as soon as the first bytes cannot be those of an age file. */
function checkFirstLine(bytes) {
    const startsLike = (line) => bytes.subarray(0, line.length).equals(line.subarray(0, bytes.length));
    if (startsLike(firstLine))
        return;
    if (!startsLike(armorLine))
        throw new AgeError('foreign');
    if (bytes.length >= armorLine.length)
        throw new AgeError('armored');
}
/** Where the payload begins: behind the line of the checksum, which alone begins with dashes; undefined if that has not come yet. */
function endOfHeader(bytes) {
    const checksum = bytes.indexOf('\n---');
    const end = checksum < 0 ? -1 : bytes.indexOf('\n', checksum + 1);
    return end < 0 ? undefined : end + 1;
}

;// CONCATENATED MODULE: ./lib/codec/age-again.js




/** Opens an age file while it is made and compares it with what was encrypted, whichever comes first. The first difference is told to `fail`. */
function openedAgain(key, fail) {
    const comparison = makeComparison(() => undefined);
    const pieces = new external_node_stream_namespaceObject.Readable({ objectMode: true, read: () => undefined });
    let expected = 0;
    const compare = async () => {
        for await (const piece of openSealed(key, pieces))
            comparison.found(piece);
        if (comparison.tooMuch() || comparison.bytes() !== expected)
            throw new AgeError('damaged');
    };
    const whole = compare().then(() => true, (error) => {
        fail(Error.isError(error) ? error : new AgeError('damaged'));
        return false;
    });
    return {
        expect: (piece) => {
            expected += piece.length;
            try {
                comparison.expect(piece.buffer.slice(piece.byteOffset, piece.byteOffset + piece.length), piece.length);
            }
            catch {
                fail(new AgeError('damaged'));
            }
        },
        found: (piece) => void pieces.push(piece),
        end: () => void pieces.push(null),
        isWhole: async () => await whole,
    };
}

;// CONCATENATED MODULE: external "node:zlib"
const external_node_zlib_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:zlib");
;// CONCATENATED MODULE: external "node:os"
const external_node_os_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:os");
;// CONCATENATED MODULE: ./lib/codec/codec.js
/** So many blocks are held at most until the first of them is released, by any compression. gzip holds that many, zstd two. */
const mostBlocksHeld = 6;

;// CONCATENATED MODULE: ./lib/codec/gzip.js



/**
 * How far deflate looks back, and so how much of what came before is of use to a block. It could be twice as far (RFC 1951, 2): that takes a
 * quarter more time, for a file 2 % smaller, which is what a high level is asked for.
 */
const windowBits = (level) => (level <= 6 ? 14 : 15);
/** Memory for the output of a block: enough that a block of documents comes out in one trip to the thread pool; more would be garbage. */
const outputBytes = 576 * 1024;
/** Blocks take different times and come out in order: so many are under way that no processor idles while the first is waited for. */
const inFlight = Math.min(mostBlocksHeld, (0,external_node_os_namespaceObject.availableParallelism)() + 3);
/** RFC 1952, 2.3: deflate, no name, no time, from Unix. The time would make two files of the same content differ. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/**
 * Compresses to one gzip member: each block of the content by itself, side by side in Node's thread pool.
 *
 * Each is raw deflate that knows what came right before it and ends on a byte (a sync flush), so that they make one stream when put behind each
 * other; the checksum and the size are those of the whole. It reads ahead until each processor has a block to work on.
 */
async function* compressGzip(blocks, { level, checksum, release }) {
    const bits = windowBits(level);
    const running = [];
    const takeFirst = async () => {
        const { block, deflated } = running.shift();
        const pieces = await deflated;
        release(block);
        const bytes = joined(start, pieces);
        start = nothing;
        return bytes;
    };
    let start = header;
    let before = nothing;
    let size = 0;
    try {
        for await (const block of blocks) {
            const deflated = deflate(block, {
                level,
                windowBits: bits,
                // A little faster, for a file that is 0.5 % larger.
                memLevel: 9,
                chunkSize: outputBytes,
                finishFlush: external_node_zlib_namespaceObject.constants.Z_SYNC_FLUSH,
                ...(before.length > 0 ? { dictionary: before } : {}),
            });
            // Awaited in its turn; a failure until then is not unhandled.
            deflated.catch(() => undefined);
            running.push({ block, deflated });
            // A copy: the block can be released before the next one comes.
            before = Buffer.from(block.subarray(-(2 ** bits)));
            size += block.length;
            if (running.length === inFlight)
                yield await takeFirst();
        }
        while (running.length > 0)
            yield await takeFirst();
    }
    finally {
        // They still read from memory that is ours.
        await Promise.allSettled(running.map(({ deflated }) => deflated));
    }
    yield Buffer.concat([start, trailer(checksum(), size)]);
}
const nothing = Buffer.alloc(0);
function deflate(block, options) {
    return new Promise((resolve, reject) => {
        const pieces = [];
        (0,external_node_zlib_namespaceObject.createDeflateRaw)(options)
            .on('data', (piece) => pieces.push(piece))
            .on('error', reject)
            .on('end', () => resolve(pieces))
            .end(block);
    });
}
/**
 * Joins what comes next and frees the memory that zlib took for it. That has grown old while the blocks before it were worked on, and the garbage
 * collector is in no hurry with what is old.
 */
function joined(start, pieces) {
    const bytes = Buffer.concat([start, ...pieces]);
    for (const { buffer } of pieces)
        if (!buffer.detached)
            buffer.transfer(0);
    return bytes;
}
/** The end of the deflate stream, an empty block (RFC 1951, 3.2.6), and what RFC 1952, 2.3.1 asks for: the checksum, and the size modulo 2^32. */
function trailer(checksum, size) {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt16LE(0x0003, 0);
    bytes.writeUInt32LE(checksum, 2);
    bytes.writeUInt32LE(size % 2 ** 32, 6);
    return bytes;
}

;// CONCATENATED MODULE: ./lib/codec/zlib-stream.js
/** What comes out of zlib at a time, in bytes: its own pieces of 16 KiB cost more in trips to the thread pool than they save in memory. */
const chunkSize = 512 * 1024;
/** For each zlib stream. Some pieces may wait while the one before is used: otherwise zlib and its reader would take turns. */
const zlibOutput = { chunkSize, readableHighWaterMark: 2 * chunkSize };
/**
 * Sends chunks through a zlib stream, which is destroyed at the end. `release` is called for each chunk once zlib has read it. Throws what the
 * chunks throw, and zlib's error for input that is damaged, cut off, or goes on behind its end.
 *
 * The next chunk is made while the one before is being worked on in Node's thread pool, and the last is done before the stream ends: zstd would
 * otherwise append a second, empty frame (nodejs/node#66078).
 */
async function* throughZlib(stream, chunks, release) {
    // A failure on the way in comes out with the stream, so it is not lost and not unhandled.
    let failure;
    const fed = feed(stream, chunks, release).catch((error) => {
        failure = error;
        stream.destroy(Error.isError(error) ? error : new Error(String(error)));
    });
    try {
        for await (const chunk of stream)
            yield chunk;
    }
    finally {
        stream.destroy();
        await fed;
    }
    if (failure !== undefined)
        throw failure;
}
async function feed(stream, chunks, release) {
    let writing = Promise.resolve();
    for await (const chunk of chunks) {
        await writing;
        writing = write(stream, chunk).then(() => release?.(chunk));
        // Awaited in the next round; a failure until then is not unhandled.
        writing.catch(() => undefined);
    }
    await writing;
    stream.end();
}
function write(stream, chunk) {
    return new Promise((resolve, reject) => {
        const gone = () => reject(new Error('the data goes on behind its end'));
        if (stream.destroyed)
            return gone();
        stream.once('close', gone);
        stream.write(chunk, (error) => {
            stream.off('close', gone);
            if (error)
                reject(error);
            else
                resolve();
        });
    });
}

;// CONCATENATED MODULE: ./lib/codec/codecs.js



/**
 * How far zstd looks back: documents are like each other, and more so than what stands side by side. Every reader must take as much
 * (RFC 8878, 3.1.1.1.2), and so much memory it costs, here and there.
 */
const zstdWindowBytes = 8 * 1024 * 1024;
/** The table of compressions. */
const codecs = {
    gzip: {
        extension: 'gz',
        levels: { default: 6, highest: 9 },
        compress: compressGzip,
        decompress: (chunks) => throughZlib((0,external_node_zlib_namespaceObject.createGunzip)(zlibOutput), chunks),
        decompressor: () => (0,external_node_zlib_namespaceObject.createGunzip)(zlibOutput),
    },
    zstd: {
        extension: 'zst',
        levels: { default: 2, highest: 19 },
        compress: (blocks, { level, release }) => throughZlib((0,external_node_zlib_namespaceObject.createZstdCompress)({
            ...zlibOutput,
            params: {
                [external_node_zlib_namespaceObject.constants.ZSTD_c_compressionLevel]: level,
                [external_node_zlib_namespaceObject.constants.ZSTD_c_checksumFlag]: 1,
                [external_node_zlib_namespaceObject.constants.ZSTD_c_enableLongDistanceMatching]: 1,
                [external_node_zlib_namespaceObject.constants.ZSTD_c_windowLog]: Math.log2(zstdWindowBytes),
                // Looks for long matches four times as often as by itself, among fewer: a file 13 % smaller, in about the same time.
                [external_node_zlib_namespaceObject.constants.ZSTD_c_ldmHashRateLog]: 5,
                [external_node_zlib_namespaceObject.constants.ZSTD_c_ldmBucketSizeLog]: 1,
            },
        }), blocks, release),
        decompress: (chunks) => throughZlib((0,external_node_zlib_namespaceObject.createZstdDecompress)(zlibOutput), chunks),
        decompressor: () => (0,external_node_zlib_namespaceObject.createZstdDecompress)(zlibOutput),
    },
};
/** The compression of a file by its name; undefined if it is none of ours. */
function findCodec(fileName) {
    return Object.values(codecs).find(({ extension }) => fileName.endsWith(`.${extension}`));
}

;// CONCATENATED MODULE: ./lib/streams/digest.js


/** Whether a value is a {@link Digest}. */
function isDigest(value) {
    return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
/** Makes a {@link Digester}. */
function digester() {
    const sha256 = (0,external_node_crypto_namespaceObject.createHash)('sha256');
    let count = 0;
    return {
        update: (bytes) => {
            count += bytes.length;
            sha256.update(bytes);
        },
        result: () => ({ bytes: count, digest: `sha256:${sha256.copy().digest('hex')}` }),
    };
}
/** Takes the CRC-32 of bytes (RFC 1952, 8). */
function checksummer() {
    let checksum = 0;
    return {
        update: (bytes) => {
            checksum = (0,external_node_zlib_namespaceObject.crc32)(bytes, checksum);
        },
        result: () => checksum,
    };
}
/** The digest of bytes at hand. */
function digestOf(bytes) {
    return `sha256:${hash('sha256', bytes, 'hex')}`;
}
/** Whether a value is a {@link SumDigest}. */
function isSumDigest(value) {
    return typeof value === 'string' && /^sumsha256:[0-9a-f]{64}$/.test(value);
}
/** Eight 32-bit words as doubles hold so many sums before the low bits of one would be lost. */
const additionsBeforeCarry = 2 ** 20;
/** The order-free digest of docs/format.md: the sum modulo 2^256 of the SHA-256 of each line, in constant memory. */
function sumDigest() {
    // The most significant word first.
    const words = new Float64Array(8);
    let additions = 0;
    const carry = () => {
        let over = 0;
        for (let i = 7; i >= 0; i--) {
            const word = words[i] + over;
            over = Math.floor(word / 2 ** 32);
            words[i] = word - over * 2 ** 32;
        }
        additions = 0;
    };
    const addHash = (bytes) => {
        for (let i = 0; i < 8; i++)
            words[i] = words[i] + wordAt(bytes, i * 4);
        if (++additions === additionsBeforeCarry)
            carry();
    };
    return {
        // A string with a character for each byte is made faster than a buffer, and leaves less to be cleaned up.
        add: (line) => addHash((0,external_node_crypto_namespaceObject.hash)('sha256', line, 'binary')),
        addHash,
        result: () => {
            carry();
            return `sumsha256:${Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('')}`;
        },
    };
}
/** Four bytes of a string that has a character for each, as a number; the first is the highest. */
function wordAt(bytes, at) {
    const high = (bytes.charCodeAt(at) << 8) | bytes.charCodeAt(at + 1);
    const low = (bytes.charCodeAt(at + 2) << 8) | bytes.charCodeAt(at + 3);
    return high * 2 ** 16 + low;
}

;// CONCATENATED MODULE: ./lib/threads/prove-data.js






const { compression, key } = external_node_worker_threads_namespaceObject.workerData;
const file = digester();
const content = contentDigester();
const checksum = checksummer();
const comparison = makeComparison((block) => send({ compared: block }, [block]));
const unpacker = codecs[compression].decompressor();
const opening = key && openedAgain(key, (error) => unpacker.destroy(error));
unpacker.on('data', (piece) => {
    checksum.update(piece);
    compare(() => comparison.found(piece));
});
unpacker.on('error', ({ message }) => send({ failure: message }));
// What was opened and what was unpacked both have to be right.
unpacker.on('end', async () => {
    if ((await opening?.isWhole()) !== false)
        send(verdict());
});
external_node_worker_threads_namespaceObject.parentPort?.on('message', (message) => {
    if (message === 'end') {
        opening?.end();
        unpacker.end();
    }
    else if ('sealed' in message) {
        file.update(Buffer.from(message.sealed.buffer));
        opening?.found(Buffer.from(message.sealed.buffer));
    }
    else if ('packed' in message) {
        if (opening)
            opening.expect(message.packed);
        else
            file.update(Buffer.from(message.packed.buffer));
        // Its memory is freed at once: the garbage collector is in no hurry.
        unpacker.write(message.packed, () => message.packed.buffer.transfer(0));
    }
    else {
        content.update(Buffer.from(message.block, 0, message.bytes));
        compare(() => comparison.expect(message.block, message.bytes));
    }
});
/** Of the whole file. All content has come before its end is announced, so what is left over has no counterpart. */
function verdict() {
    const { bytes } = content.result();
    if (comparison.tooMuch())
        return { failure: `it goes on after ${bytes} bytes` };
    if (comparison.bytes() !== bytes)
        return { failure: `it ends after ${comparison.bytes()} of ${bytes} bytes` };
    return { found: { stored: file.result(), content: content.result(), checksum: checksum.result() } };
}
/** The first difference ends the unpacking, as an error in the file does. */
function compare(step) {
    try {
        step();
    }
    catch (error) {
        unpacker.destroy(Error.isError(error) ? error : new Error(String(error)));
    }
}
function send(message, transfer = []) {
    external_node_worker_threads_namespaceObject.parentPort?.postMessage(message, transfer);
}
/** Digests content that comes in blocks, which can end anywhere: as one, and each of its lines. */
function contentDigester() {
    const whole = digester();
    const sum = sumDigest();
    let lines = 0;
    /** A line that goes on in the next block. */
    let begun;
    return {
        update: (block) => {
            whole.update(block);
            let start = 0;
            for (let end = block.indexOf(lineFeed); end !== -1; end = block.indexOf(lineFeed, start)) {
                const line = block.subarray(start, end);
                if (begun)
                    sum.addHash(begun.update(line).digest('binary'));
                else
                    sum.add(line);
                begun = undefined;
                lines++;
                start = end + 1;
            }
            if (start === block.length)
                return;
            begun ??= (0,external_node_crypto_namespaceObject.createHash)('sha256');
            begun.update(block.subarray(start));
        },
        result: () => ({ ...whole.result(), lines, sum: sum.result() }),
    };
}
const lineFeed = 0x0a;

