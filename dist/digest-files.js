import { createRequire as __WEBPACK_EXTERNAL_createRequire } from "module";
var __webpack_exports__ = {};

;// CONCATENATED MODULE: external "node:crypto"
const external_node_crypto_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:crypto");
;// CONCATENATED MODULE: external "node:fs"
const external_node_fs_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:fs");
;// CONCATENATED MODULE: external "node:worker_threads"
const external_node_worker_threads_namespaceObject = __WEBPACK_EXTERNAL_createRequire(import.meta.url)("node:worker_threads");
;// CONCATENATED MODULE: ./lib/threads/digest-files.js



const buffer = Buffer.allocUnsafeSlow(256 * 1024);
external_node_worker_threads_namespaceObject.parentPort?.on('message', (job) => external_node_worker_threads_namespaceObject.parentPort?.postMessage(answerTo(job)));
function answerTo({ id, file, algorithms }) {
    try {
        return { id, ...digestFile(file, algorithms) };
    }
    catch (error) {
        const { message, code } = error;
        return { id, failure: { message, code } };
    }
}
function digestFile(file, algorithms) {
    const hashes = algorithms.map((algorithm) => ({ algorithm, hash: (0,external_node_crypto_namespaceObject.createHash)(algorithm) }));
    const descriptor = (0,external_node_fs_namespaceObject.openSync)(file, 'r');
    let bytes = 0;
    try {
        for (;;) {
            const read = buffer.subarray(0, (0,external_node_fs_namespaceObject.readSync)(descriptor, buffer));
            if (read.length === 0)
                break;
            for (const { hash } of hashes)
                hash.update(read);
            bytes += read.length;
        }
    }
    finally {
        (0,external_node_fs_namespaceObject.closeSync)(descriptor);
    }
    const digests = { sha256: '', sha1: '', md5: '' };
    for (const { algorithm, hash } of hashes)
        digests[algorithm] = hash.digest('hex');
    return { bytes, digests };
}

