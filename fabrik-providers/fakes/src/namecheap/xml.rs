//! Replies.

use fabrik_testkit::serve::Reply;

/// A refusal: number and text.
pub(crate) struct Refusal {
    number: String,
    text: String,
}

impl Refusal {
    pub(crate) fn new(number: &str, text: &str) -> Refusal {
        Refusal {
            number: number.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// A text inside XML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A command that was carried out.
pub(crate) fn fine(command: &str, body: &str) -> Reply {
    let command = escape(command);
    reply(&format!(
        r#"<ApiResponse Status="OK" xmlns="http://api.namecheap.com/xml.response">
  <Errors />
  <Warnings />
  <RequestedCommand>{}</RequestedCommand>
  <CommandResponse Type="{command}">
    {body}
  </CommandResponse>
  <Server>PHX01APIEXT02</Server>
  <GMTTimeDifference>--4:00</GMTTimeDifference>
  <ExecutionTime>0.127</ExecutionTime>
</ApiResponse>"#,
        command.to_lowercase()
    ))
}

/// A command that was refused: with status 200 all the same.
pub(crate) fn refused(command: &str, refusal: &Refusal) -> Reply {
    reply(&format!(
        r#"<ApiResponse Status="ERROR" xmlns="http://api.namecheap.com/xml.response">
  <Errors>
    <Error Number="{}">{}</Error>
  </Errors>
  <Warnings />
  <RequestedCommand>{}</RequestedCommand>
  <Server>PHX01APIEXT02</Server>
  <GMTTimeDifference>--4:00</GMTTimeDifference>
  <ExecutionTime>0</ExecutionTime>
</ApiResponse>"#,
        escape(&refusal.number),
        escape(&refusal.text),
        escape(&command.to_lowercase())
    ))
}

fn reply(xml: &str) -> Reply {
    Reply::new(
        200,
        "text/xml; charset=utf-8",
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n{xml}"),
    )
}
