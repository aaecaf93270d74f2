<?php
/*
Plugin Name: Fabrik analytics
Description: Counts visitors with Google. Written by Fabrik: a change by hand is shown as one, and undone.
*/
// fabrik: {{settings}}
if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

add_action( 'wp_head', function () {
	$analytics = '{{analytics}}';
	$manager   = '{{manager}}';
	echo "<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments);}";
	if ( '{{consent}}' ) {
		echo "gtag('consent','default',{'ad_storage':'denied','ad_user_data':'denied','ad_personalization':'denied','analytics_storage':'denied','wait_for_update':500});";
	}
	if ( $analytics ) {
		echo "gtag('js',new Date());gtag('config','" . $analytics . "');";
	}
	if ( $manager ) {
		echo "dataLayer.push({'gtm.start':new Date().getTime(),event:'gtm.js'});";
	}
	echo "</script>\n";
	if ( $analytics ) {
		echo '<script async src="https://www.googletagmanager.com/gtag/js?id=' . $analytics . "\"></script>\n";
	}
	if ( $manager ) {
		echo '<script async src="https://www.googletagmanager.com/gtm.js?id=' . $manager . "\"></script>\n";
	}
}, 1 );

add_action( 'wp_body_open', function () {
	$manager = '{{manager}}';
	// Without scripts there is nobody to ask, so with consent nothing is loaded.
	if ( $manager && ! '{{consent}}' ) {
		echo '<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=' . $manager . '" height="0" width="0" style="display:none;visibility:hidden"></iframe></noscript>' . "\n";
	}
}, 1 );
