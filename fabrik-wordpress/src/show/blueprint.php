<?php
// Written by Fabrik. Makes the content of a site from the data at the end; runs once.
require_once '/wordpress/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/image.php';
$data  = json_decode( base64_decode( '{{DATA}}' ), true );
$known = array();
$fill  = function ( $value ) use ( &$known, &$fill ) {
	if ( is_array( $value ) ) {
		return array_map( $fill, $value );
	}
	return is_string( $value ) ? strtr( $value, $known ) : $value;
};
$note = function ( $name, $id, $url = '' ) use ( &$known ) {
	$known[ '{{' . $name . '.id}}' ]  = (string) $id;
	$known[ '{{' . $name . '.url}}' ] = (string) $url;
};
$part = function ( $kind ) use ( $data ) {
	return isset( $data[ $kind ] ) ? $data[ $kind ] : array();
};
foreach ( $part( 'media' ) as $entry ) {
	$upload = wp_upload_bits( $entry['inputs']['name'], null, base64_decode( $entry['bytes'] ) );
	$type   = wp_check_filetype( $upload['file'] );
	$id     = wp_insert_attachment( array( 'post_mime_type' => $type['type'], 'post_title' => $entry['name'], 'post_status' => 'inherit' ), $upload['file'] );
	wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $upload['file'] ) );
	if ( ! empty( $entry['inputs']['alt'] ) ) {
		update_post_meta( $id, '_wp_attachment_image_alt', wp_slash( $entry['inputs']['alt'] ) );
	}
	$note( $entry['name'], $id, $upload['url'] );
}
foreach ( $part( 'category' ) as $entry ) {
	$term = wp_insert_term( $entry['inputs']['name'], 'category', array( 'slug' => $entry['inputs']['slug'] ) );
	if ( ! is_wp_error( $term ) ) {
		$note( $entry['name'], $term['term_id'] );
	}
}
// Parents first: what still waits for one is tried again.
$waiting = array_merge( $part( 'page' ), $part( 'post' ) );
for ( $round = 0; $waiting && $round < 9; $round++ ) {
	$later = array();
	foreach ( $waiting as $entry ) {
		$in = $fill( $entry['inputs'] );
		if ( isset( $in['parent'] ) && ! ctype_digit( $in['parent'] ) ) {
			$later[] = $entry;
			continue;
		}
		$is_post = 0 === strpos( $entry['name'], 'post-' );
		$texts   = array();
		foreach ( isset( $in['sections'] ) ? $in['sections'] : array() as $section ) {
			$texts[] = $section['markup'];
		}
		$row = array(
			'post_type'    => $is_post ? 'post' : 'page',
			'post_status'  => isset( $in['status'] ) ? $in['status'] : 'publish',
			'post_title'   => $in['title'],
			'post_name'    => $in['slug'],
			'post_content' => implode( "\n\n", $texts ),
			'post_excerpt' => isset( $in['excerpt'] ) ? $in['excerpt'] : '',
			'post_parent'  => isset( $in['parent'] ) ? (int) $in['parent'] : 0,
			'menu_order'   => isset( $in['menu_order'] ) ? (int) $in['menu_order'] : 0,
		);
		$id  = wp_insert_post( wp_slash( $row ) );
		if ( ! empty( $in['template'] ) ) {
			update_post_meta( $id, '_wp_page_template', $in['template'] );
		}
		if ( ! empty( $in['featured_media'] ) ) {
			set_post_thumbnail( $id, (int) $in['featured_media'] );
		}
		if ( ! empty( $in['categories'] ) ) {
			wp_set_post_categories( $id, array_map( 'intval', $in['categories'] ) );
		}
		if ( ! empty( $in['tags'] ) ) {
			wp_set_post_tags( $id, $in['tags'] );
		}
		$note( $entry['name'], $id, get_permalink( $id ) );
	}
	$waiting = $later;
}
foreach ( $part( 'menu' ) as $entry ) {
	$links = function ( $items ) use ( &$links ) {
		$out = '';
		foreach ( $items as $item ) {
			$url   = isset( $item['page'] ) ? get_permalink( (int) $item['page'] ) : ( isset( $item['url'] ) ? $item['url'] : ( isset( $item['category'] ) ? get_term_link( (int) $item['category'] ) : '#' ) );
			$attrs = wp_json_encode( array( 'label' => $item['title'], 'url' => is_string( $url ) ? $url : '#' ), JSON_HEX_TAG | JSON_HEX_AMP );
			if ( empty( $item['children'] ) ) {
				$out .= '<!-- wp:navigation-link ' . $attrs . ' /-->';
			} else {
				$out .= '<!-- wp:navigation-submenu ' . $attrs . ' -->' . $links( $item['children'] ) . '<!-- /wp:navigation-submenu -->';
			}
		}
		return $out;
	};
	$in    = $fill( $entry['inputs'] );
	wp_insert_post( wp_slash( array( 'post_type' => 'wp_navigation', 'post_status' => 'publish', 'post_title' => $in['name'], 'post_name' => $in['slug'], 'post_content' => $links( $in['items'] ) ) ) );
}
foreach ( $part( 'front_page' ) as $entry ) {
	$in = $fill( $entry['inputs'] );
	update_option( 'show_on_front', 'page' );
	update_option( 'page_on_front', (int) $in['page'] );
	if ( ! empty( $in['posts_page'] ) ) {
		update_option( 'page_for_posts', (int) $in['posts_page'] );
	}
}
foreach ( $part( 'privacy_page' ) as $entry ) {
	$in = $fill( $entry['inputs'] );
	update_option( 'wp_page_for_privacy_policy', (int) $in['page'] );
}
foreach ( $part( 'theme_style' ) as $entry ) {
	$id = WP_Theme_JSON_Resolver::get_user_global_styles_post_id();
	if ( $id ) {
		$styles = array(
			'version'                     => WP_Theme_JSON::LATEST_SCHEMA,
			'isGlobalStylesUserThemeJSON' => true,
			'settings'                    => array( 'color' => array( 'palette' => array( 'custom' => $entry['inputs']['palette'] ) ) ),
		);
		wp_update_post( wp_slash( array( 'ID' => $id, 'post_content' => wp_json_encode( $styles ) ) ) );
	}
}
flush_rewrite_rules();
