use serde_json::json;

use super::*;

#[test]
fn every_type_has_one_form() {
    for (kind, written, form) in [
        ("A", " 192.0.2.1 ", "192.0.2.1"),
        ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
        ("CNAME", "WWW.Example.COM.", "www.example.com"),
        ("MX", "10  Mail.example.com.", "10 mail.example.com"),
        ("MX", "0 .", "0 ."),
        ("TXT", "v=spf1 -all", "v=spf1 -all"),
        ("TXT", "\"v=spf1 \" \"-all\"", "v=spf1 -all"),
        ("TXT", "a \"quoted\" word", "a \"quoted\" word"),
        ("TXT", "\"\\\"all\\\"\"", "\"\\\"all\\\"\""),
        ("TXT", "\"a\\065\"", "aA"),
        (
            "SRV",
            "1 2 5060 SIP.example.com.",
            "1 2 5060 sip.example.com",
        ),
        ("SRV", "0 0 0 .", "0 0 0 ."),
        (
            "CAA",
            "0 ISSUE letsencrypt.org",
            "0 issue \"letsencrypt.org\"",
        ),
        (
            "HTTPS",
            "1 . alpn=h3,h2 IPv4Hint=\"192.0.2.1\"",
            "1 . alpn=\"h3,h2\" ipv4hint=\"192.0.2.1\"",
        ),
        ("HTTPS", "0 other.example.", "0 other.example"),
        ("TLSA", "3 1 1 ABCD EF01", "3 1 1 abcdef01"),
        ("SSHFP", "4 2 ABCDEF", "4 2 abcdef"),
        ("DS", "2371 13 2 AB CD", "2371 13 2 abcd"),
        (
            "NAPTR",
            "10 100 S SIP+D2U \"\" _sip._udp.example.com.",
            "10 100 \"S\" \"SIP+D2U\" \"\" _sip._udp.example.com",
        ),
        (
            "URI",
            "10 1 https://example.com/a",
            "10 1 \"https://example.com/a\"",
        ),
        ("CERT", "1 2 8 aGVsbG8=", "1 2 8 aGVsbG8="),
        (
            "LOC",
            "51 30 12.748 n 0 7 39.611 W 0.00m",
            "51 30 12.748 N 0 7 39.611 W 0m 1m 10000m 10m",
        ),
    ] {
        let found = canonical(kind, written).unwrap();
        assert_eq!(found, form, "{kind} {written}");
        assert_eq!(
            canonical(kind, &found).unwrap(),
            form,
            "again: {kind} {written}"
        );
    }
}

#[test]
fn mistakes_say_what_is_expected() {
    for (kind, written, text) in [
        (
            "A",
            "2001:db8::1",
            "`2001:db8::1` is no value of a record of type A: it must be an IPv4 address",
        ),
        ("AAAA", "192.0.2.1", "it must be an IPv6 address"),
        (
            "MX",
            "mail.example.com",
            "`priority` must be a number from 0 to 65535; it is written `PRIORITY HOST`",
        ),
        ("MX", "10", "`content` is missing"),
        (
            "CAA",
            "256 issue x",
            "`flags` must be a number from 0 to 255",
        ),
        ("SRV", "1 2 3 a.example b", "`b` is too much"),
        (
            "TLSA",
            "3 1 1 xyz",
            "`certificate` must be hexadecimal digits",
        ),
        ("TXT", "", "a text must not be empty"),
        ("TXT", "\"open", "\"open"),
        ("CNAME", "a b", "is no host name"),
        ("LOC", "51 N 0 E", "the altitude is missing"),
    ] {
        match canonical(kind, written) {
            Err(found) => assert!(found.contains(text), "{kind} {written}: {found}"),
            // A quote that does not close is a text that begins with one.
            Ok(found) => assert_eq!((kind, found.as_str()), ("TXT", "\"open")),
        }
    }
    let long = "x".repeat(9_000);
    assert!(
        canonical("TXT", &long)
            .unwrap_err()
            .contains("at most 8192")
    );
}

#[test]
fn the_wire_has_the_fields_of_the_api() {
    let wire = |kind: &str, value: &str| json!(to_wire(kind, value).unwrap());
    assert_eq!(wire("A", "192.0.2.1"), json!({"content": "192.0.2.1"}));
    assert_eq!(
        wire("MX", "10 a.example"),
        json!({"content": "a.example", "priority": 10})
    );
    assert_eq!(
        wire("SRV", "1 2 3 a.example"),
        json!({"data": {"priority": 1, "weight": 2, "port": 3, "target": "a.example"}})
    );
    assert_eq!(
        wire("URI", "10 1 \"https://a.example\""),
        json!({"priority": 10, "data": {"weight": 1, "target": "https://a.example"}})
    );
    assert_eq!(
        wire("CAA", "0 issue \"a;b=\\\"c\\\"\""),
        json!({"data": {"flags": 0, "tag": "issue", "value": "a;b=\"c\""}})
    );
    assert_eq!(
        wire("TXT", "a \"b\" \\"),
        json!({"content": "\"a \\\"b\\\" \\\\\""})
    );
    let long = "é".repeat(200);
    let content = wire("TXT", &long);
    let content = content["content"].as_str().unwrap();
    assert_eq!(
        content.matches("\" \"").count(),
        1,
        "two pieces, cut between characters"
    );
}

#[test]
fn what_is_read_is_what_was_written() {
    for (kind, value) in [
        ("MX", "10 a.example"),
        ("SRV", "1 2 3 a.example"),
        ("CAA", "0 issue \"a; b=\\\"c\\\"\""),
        ("HTTPS", "1 . alpn=\"h3,h2\""),
        ("HTTPS", "0 a.example"),
        ("NAPTR", "10 100 \"S\" \"SIP+D2U\" \"\" a.example"),
        ("URI", "10 1 \"https://a.example\""),
        ("TXT", "a \"b\" \\ é"),
        ("LOC", "51 30 12.748 N 0 7 39.611 W 0m 1m 10000m 10m"),
    ] {
        let mut record = json!(to_wire(kind, value).unwrap());
        record["id"] = json!("1");
        record["name"] = json!("x");
        record["type"] = json!(kind);
        let record: RecordObject = serde_json::from_value(record).unwrap();
        assert_eq!(from_wire(&record), value, "{kind}");
    }
}

#[test]
fn numbers_may_be_floats_and_texts_unquoted() {
    let read = |json: Json| from_wire(&serde_json::from_value(json).unwrap());
    let record = json!({"id": "1", "name": "x", "type": "SRV", "content": "2 3 A.example",
        "priority": 1.0, "data": {"priority": 1.0, "weight": 2.0, "port": 3.0, "target": "A.example"}});
    assert_eq!(read(record), "1 2 3 a.example");
    let record = json!({"id": "1", "name": "x", "type": "TXT", "content": "v=spf1 -all"});
    assert_eq!(read(record), "v=spf1 -all");
    let record =
        json!({"id": "1", "name": "x", "type": "MX", "content": "a.example", "priority": 10.0});
    assert_eq!(read(record), "10 a.example");
}
