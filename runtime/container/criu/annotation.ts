/** The annotation that names a file of options for CRIU, which then does what that says: runc's, and crun's. */
export const CRIU_CONFIG_ANNOTATION = "org.criu.config";
