/** The version of the specification that the types of this folder describe, in full. @module */

export const OCI_VERSION = "1.3.0";
