/** This tool's version, as manifests record it. A test holds it equal to package.json's. */
export const toolVersion = '1.0.0'
