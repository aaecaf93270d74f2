<?php
// Put into a test site's mu-plugins. It makes a page tell whether anything in it ran, and what in
// its sections is more than text.

// Whoever calls these has run.
add_action( 'wp_head', function () {
	echo '<script id="fabrik-canary">window.fabrikRan = []; for (const name of ["alert", "confirm", "prompt", "msgbox"]) window[name] = (x) => window.fabrikRan.push(name); window.open = () => null;</script>';
}, -1000 );

// Whoever writes their names has run, too.
add_shortcode( 'canary', fn() => '<b class="fabrik-ran">shortcode</b>' );
add_action( 'init', fn() => register_block_type( 'canary/x', array( 'render_callback' => fn() => '<b class="fabrik-ran">block</b>' ) ) );

// What forms and shops would be.
add_shortcode( 'contact-form-7', fn( $atts ) => '<div class="fabrik-form">' . esc_html( $atts['title'] ?? '' ) . '</div>' );
add_shortcode( 'products', fn() => '<div class="fabrik-form">products</div>' );

add_action( 'wp_footer', function () {
	?>
<script id="fabrik-inspect">
(function () {
	const tags = "a blockquote br cite code details div em figcaption figure h1 h2 h3 h4 hr iframe img li ol p path section span strong sub summary svg table tbody td th thead time tr ul".split(" ");
	const addresses = ["href", "src", "action", "formaction", "data", "poster", "background", "xlink:href", "srcset", "cite", "ping"];
	const maps = ["www.openstreetmap.org", "www.google.com"];
	const found = [];
	const short = (element) => element.outerHTML.slice(0, 300);
	for (const element of document.querySelectorAll(".fabrik-section, .fabrik-section *")) {
		const tag = element.tagName.toLowerCase();
		// WordPress itself draws the signs of services.
		const drawn = element.closest(".wp-block-social-links");
		if (!tags.includes(tag) || (["svg", "path"].includes(tag) && !drawn)) found.push("tag " + short(element));
		for (const { name, value } of element.attributes) {
			if (name.startsWith("on") || name.startsWith("data-wp-") || name === "srcdoc") found.push("attribute " + short(element));
			if (name === "style" && /url\(|expression|@import/i.test(value)) found.push("style " + short(element));
			if (!addresses.includes(name)) continue;
			for (const one of name === "srcset" ? value.split(",").map((part) => part.trim().split(" ")[0]) : [value]) {
				let url;
				try { url = new URL(one, location.href); } catch (error) { found.push("address " + short(element)); continue; }
				if (!["http:", "https:", "mailto:", "tel:"].includes(url.protocol)) found.push("scheme " + short(element));
				const foreign = url.origin !== location.origin && url.host !== "localhost";
				if (tag !== "a" && foreign && !(tag === "iframe" && maps.includes(url.host))) found.push("host " + short(element));
			}
		}
	}
	for (const element of document.querySelectorAll(".fabrik-ran")) found.push("ran " + element.textContent);
	for (const element of document.querySelectorAll("script[src], link[rel=stylesheet], img[src], iframe[src], base, object, embed")) {
		if (element.closest(".fabrik-section")) continue;
		const url = new URL(element.src || element.href || element.data || "", location.href);
		if (url.origin !== location.origin) found.push("outside " + short(element));
	}
	// What a visitor does.
	addEventListener("click", (event) => event.preventDefault(), true);
	for (const element of document.querySelectorAll(".fabrik-section *")) {
		for (const type of ["pointerover", "mouseover", "mouseenter", "focus", "focusin", "click", "error", "load", "toggle"]) {
			element.dispatchEvent(new Event(type, { bubbles: type === "click", cancelable: true }));
		}
	}
	window.fabrikReport = () => ({
		ran: window.fabrikRan,
		found,
		sections: document.querySelectorAll(".fabrik-section").length,
		// Scripts of the page, the same on every page of the theme.
		scripts: document.scripts.length,
		title: document.title,
	});
})();
</script>
	<?php
}, 1000 );

// A page that opens others one after the other, in a frame, and tells what they told.
add_action( 'template_redirect', function () {
	if ( ! isset( $_GET['fabrik_runner'] ) ) {
		return;
	}
	$paths = json_decode( file_get_contents( WP_CONTENT_DIR . '/fabrik-paths.json' ) );
	?>
<!DOCTYPE html><title>runner</title><pre id="fabrik-report">running</pre>
<script>
(async function () {
	const reports = {};
	for (const path of <?php echo wp_json_encode( $paths ); ?>) {
		const frame = document.createElement("iframe");
		frame.src = path;
		await new Promise((done) => { frame.onload = done; document.body.append(frame); });
		// Time for what runs late.
		await new Promise((done) => setTimeout(done, 150));
		try { reports[path] = frame.contentWindow.fabrikReport(); }
		catch (error) { reports[path] = { lost: String(error), at: String(frame.src) }; }
		frame.remove();
	}
	document.getElementById("fabrik-report").textContent = JSON.stringify(reports);
	document.title = "done";
})();
</script>
	<?php
	exit;
} );
