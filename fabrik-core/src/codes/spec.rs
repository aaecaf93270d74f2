//! The codes of the spec language, `FAB1xxx`.

use super::Page;

/// The text is not YAML.
pub const SYNTAX: &str = "FAB1001";
/// DUPLICATE_KEY
pub const DUPLICATE_KEY: &str = "FAB1002";
/// UNKNOWN_FIELD
pub const UNKNOWN_FIELD: &str = "FAB1003";
/// WRONG_TYPE
pub const WRONG_TYPE: &str = "FAB1004";
/// MISSING_FIELD
pub const MISSING_FIELD: &str = "FAB1005";
/// NOT_ALLOWED
pub const NOT_ALLOWED: &str = "FAB1006";
/// OUT_OF_RANGE
pub const OUT_OF_RANGE: &str = "FAB1007";
/// ENCODING
pub const ENCODING: &str = "FAB1008";
/// EMPTY
pub const EMPTY: &str = "FAB1009";
/// DOCUMENTS
pub const DOCUMENTS: &str = "FAB1010";
/// TAG
pub const TAG: &str = "FAB1011";
/// ALIAS
pub const ALIAS: &str = "FAB1012";
/// TOO_DEEP
pub const TOO_DEEP: &str = "FAB1013";
/// KEY
pub const KEY: &str = "FAB1014";
/// NOT_YET
pub const NOT_YET: &str = "FAB1015";
/// VERSION
pub const VERSION: &str = "FAB1016";
/// REQUIRES
pub const REQUIRES: &str = "FAB1017";
/// VERSION_MISSING
pub const VERSION_MISSING: &str = "FAB1018";
/// UNQUOTED
pub const UNQUOTED: &str = "FAB1019";
/// BAD_ID
pub const BAD_ID: &str = "FAB1020";
/// EXPRESSION
pub const EXPRESSION: &str = "FAB1021";
/// FUNCTION
pub const FUNCTION: &str = "FAB1022";
/// UNKNOWN_NAME
pub const UNKNOWN_NAME: &str = "FAB1023";
/// UNKNOWN_OUTPUT
pub const UNKNOWN_OUTPUT: &str = "FAB1024";
/// NOT_HERE
pub const NOT_HERE: &str = "FAB1025";
/// CYCLE
pub const CYCLE: &str = "FAB1026";
/// SWITCHED_OFF
pub const SWITCHED_OFF: &str = "FAB1027";
/// NEEDS_KEY
pub const NEEDS_KEY: &str = "FAB1028";
/// NOT_KNOWN
pub const NOT_KNOWN: &str = "FAB1029";
/// EVALUATION
pub const EVALUATION: &str = "FAB1030";
/// FILE
pub const FILE: &str = "FAB1031";
/// VAR_MISSING
pub const VAR_MISSING: &str = "FAB1032";
/// VAR_TYPE
pub const VAR_TYPE: &str = "FAB1033";
/// UNKNOWN_VAR
pub const UNKNOWN_VAR: &str = "FAB1034";
/// SECRET_IN_FILE
pub const SECRET_IN_FILE: &str = "FAB1035";
/// SECRET_FORM
pub const SECRET_FORM: &str = "FAB1036";
/// UNKNOWN_TYPE
pub const UNKNOWN_TYPE: &str = "FAB1037";
/// PROVIDER
pub const PROVIDER: &str = "FAB1038";
/// TWICE
pub const TWICE: &str = "FAB1039";
/// DURATION
pub const DURATION: &str = "FAB1040";
/// ADDRESS
pub const ADDRESS: &str = "FAB1041";
/// MOVED
pub const MOVED: &str = "FAB1042";
/// UNKNOWN_KIND
pub const UNKNOWN_KIND: &str = "FAB1043";
/// NO_PLAYER
pub const NO_PLAYER: &str = "FAB1044";
/// AMBIGUOUS
pub const AMBIGUOUS: &str = "FAB1045";
/// CHOICE_CHANGED
pub const CHOICE_CHANGED: &str = "FAB1046";
/// CANNOT
pub const CANNOT: &str = "FAB1047";
/// EXPANSION
pub const EXPANSION: &str = "FAB1048";
/// ENVIRONMENT
pub const ENVIRONMENT: &str = "FAB1049";
/// CHECK
pub const CHECK: &str = "FAB1050";
/// LITERAL_SECRET
pub const LITERAL_SECRET: &str = "FAB1051";
/// EACH_KEY
pub const EACH_KEY: &str = "FAB1052";

pub(super) const PAGES: &[Page] = &[];
