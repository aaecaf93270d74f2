<?php
/*
 * Plugin Name: Fabrik SEO
 * Description: Titles, descriptions, robots, canonical addresses, Open Graph and JSON-LD, as the site's spec says. Made by Fabrik; changes are overwritten.
 * Version: 1
 */

defined( 'ABSPATH' ) || exit;

/** Values of the page that is shown, and of the site. */
function fabrik_seo_values() {
	static $values = null;
	if ( null !== $values ) {
		return $values;
	}
	$site = (array) get_option( 'fabrik_seo', array() );
	$page = array();
	$id   = is_singular() ? get_queried_object_id() : ( is_home() && get_option( 'page_for_posts' ) ? (int) get_option( 'page_for_posts' ) : 0 );
	foreach ( array( 'title', 'description', 'canonical', 'noindex', 'og_image', 'schema_type' ) as $key ) {
		$page[ $key ] = $id ? (string) get_post_meta( $id, '_fabrik_seo_' . $key, true ) : '';
	}
	if ( is_front_page() ) {
		$page['title']       = '' !== $page['title'] ? $page['title'] : (string) ( $site['home_title'] ?? '' );
		$page['description'] = '' !== $page['description'] ? $page['description'] : (string) ( $site['home_description'] ?? '' );
	}
	if ( '' === $page['description'] && $id && has_excerpt( $id ) ) {
		$page['description'] = wp_strip_all_tags( get_the_excerpt( $id ) );
	}
	$values = array( 'site' => $site, 'page' => $page, 'id' => $id );
	return $values;
}

function fabrik_seo_fill( $text, $title ) {
	$site = fabrik_seo_values()['site'];
	return strtr( $text, array(
		'%title%'    => $title,
		'%sep%'      => (string) ( $site['separator'] ?? '–' ),
		'%sitename%' => wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ),
		'%tagline%'  => wp_specialchars_decode( get_bloginfo( 'description' ), ENT_QUOTES ),
	) );
}

add_filter( 'pre_get_document_title', function ( $title ) {
	if ( is_feed() ) {
		return $title;
	}
	$values   = fabrik_seo_values();
	$own      = $values['id'] ? get_post_field( 'post_title', $values['id'] ) : '';
	$template = (string) ( $values['site']['title_template'] ?? '' );
	if ( '' !== $values['page']['title'] ) {
		return esc_html( fabrik_seo_fill( $values['page']['title'], $own ) );
	}
	if ( '' !== $template && '' !== $own && ! is_front_page() ) {
		return esc_html( fabrik_seo_fill( $template, $own ) );
	}
	return $title;
}, 20 );

add_filter( 'document_title_separator', function ( $separator ) {
	$own = (string) ( fabrik_seo_values()['site']['separator'] ?? '' );
	return '' !== $own ? esc_html( $own ) : $separator;
} );

add_filter( 'wp_robots', function ( $robots ) {
	if ( '1' === fabrik_seo_values()['page']['noindex'] ) {
		unset( $robots['max-image-preview'] );
		$robots['noindex'] = true;
	}
	return $robots;
} );

add_filter( 'get_canonical_url', function ( $url, $post ) {
	$own = (string) get_post_meta( $post->ID, '_fabrik_seo_canonical', true );
	return '' !== $own ? $own : $url;
}, 10, 2 );

add_filter( 'wp_sitemaps_enabled', function ( $enabled ) {
	$site = (array) get_option( 'fabrik_seo', array() );
	return isset( $site['sitemap'] ) ? (bool) $site['sitemap'] : $enabled;
} );

add_filter( 'wp_sitemaps_posts_query_args', function ( $args ) {
	$args['meta_query'][] = array(
		'relation' => 'OR',
		array( 'key' => '_fabrik_seo_noindex', 'compare' => 'NOT EXISTS' ),
		array( 'key' => '_fabrik_seo_noindex', 'value' => '1', 'compare' => '!=' ),
	);
	return $args;
} );

add_action( 'wp_head', function () {
	$values = fabrik_seo_values();
	$site   = $values['site'];
	$page   = $values['page'];
	$meta   = function ( $attribute, $name, $content ) {
		if ( '' !== (string) $content ) {
			printf( "<meta %s=\"%s\" content=\"%s\" />\n", esc_attr( $attribute ), esc_attr( $name ), esc_attr( $content ) );
		}
	};
	$own = $values['id'] ? get_post_field( 'post_title', $values['id'] ) : get_bloginfo( 'name' );
	$meta( 'name', 'description', fabrik_seo_fill( $page['description'], $own ) );
	$names = array( 'google' => 'google-site-verification', 'bing' => 'msvalidate.01', 'yandex' => 'yandex-verification', 'baidu' => 'baidu-site-verification' );
	foreach ( $names as $engine => $name ) {
		if ( is_front_page() ) {
			$meta( 'name', $name, $site['verification'][ $engine ] ?? '' );
		}
	}
	$url   = $values['id'] ? get_permalink( $values['id'] ) : home_url( '/' );
	$image = '' !== $page['og_image'] ? $page['og_image'] : ( $values['id'] ? (string) get_the_post_thumbnail_url( $values['id'], 'large' ) : '' );
	$meta( 'property', 'og:title', wp_specialchars_decode( wp_get_document_title(), ENT_QUOTES ) );
	$meta( 'property', 'og:description', fabrik_seo_fill( $page['description'], $own ) );
	$meta( 'property', 'og:type', is_singular( 'post' ) ? 'article' : 'website' );
	$meta( 'property', 'og:url', $url );
	$meta( 'property', 'og:site_name', wp_specialchars_decode( get_bloginfo( 'name' ), ENT_QUOTES ) );
	$meta( 'property', 'og:image', $image );
	$meta( 'name', 'twitter:card', '' !== $image ? 'summary_large_image' : 'summary' );
	$graph = array();
	$owner = (array) ( $site['organisation'] ?? array() );
	if ( ! empty( $owner['name'] ) ) {
		$same = array_values( array_filter( (array) ( $site['social'] ?? array() ) ) );
		$graph[] = array_filter( array(
			'@type'  => 'person' === ( $owner['type'] ?? '' ) ? 'Person' : 'Organization',
			'@id'    => home_url( '/#owner' ),
			'name'   => $owner['name'],
			'url'    => home_url( '/' ),
			'logo'   => 'person' === ( $owner['type'] ?? '' ) ? null : ( $owner['logo'] ?? null ),
			'sameAs' => $same ? $same : null,
		) );
	}
	if ( $values['id'] ) {
		$graph[] = array_filter( array(
			'@type'       => '' !== $page['schema_type'] ? $page['schema_type'] : ( is_singular( 'post' ) ? 'BlogPosting' : 'WebPage' ),
			'@id'         => $url,
			'url'         => $url,
			'name'        => $own,
			'description' => $page['description'],
			'inLanguage'  => get_bloginfo( 'language' ),
		) );
	}
	if ( $graph ) {
		echo '<script type="application/ld+json">' . wp_json_encode( array( '@context' => 'https://schema.org', '@graph' => $graph ), JSON_UNESCAPED_UNICODE | JSON_HEX_TAG | JSON_HEX_AMP ) . "</script>\n";
	}
}, 2 );
