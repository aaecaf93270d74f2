
// How a theme looks: values in its options, in the JSON of global styles, and CSS between two marks.

const FABRIK_CSS = "#\n?/\\* fabrik: begin \\*/\n(.*?)\n/\\* fabrik: end \\*/\n?#s";

function fabrik_style_css() {
	$all = (string) wp_get_custom_css();
	return preg_match( FABRIK_CSS, $all, $found ) ? $found[1] : null;
}

function fabrik_style_css_put( $css ) {
	$post = wp_get_custom_css_post();
	$all  = $post ? $post->post_content : '';
	$rest = preg_replace( FABRIK_CSS, '', $all );
	$new  = null === $css ? $rest : rtrim( $rest ) . ( '' === trim( $rest ) ? '' : "\n" ) . "/* fabrik: begin */\n" . $css . "\n/* fabrik: end */\n";
	if ( '' === trim( $new ) && $post && get_post_meta( $post->ID, '_fabrik_made', true ) ) {
		wp_delete_post( $post->ID, true );
		set_theme_mod( 'custom_css_post_id', -1 );
		return;
	}
	$made = Fabrik::checked( wp_update_custom_css_post( $new ) );
	if ( ! $post ) {
		add_post_meta( $made->ID, '_fabrik_made', '1', true );
	}
}

/** The JSON of the active theme's global styles, and the id of the post that holds it. */
function fabrik_style_json() {
	$theme = wp_get_theme();
	$found = WP_Theme_JSON_Resolver::get_user_data_from_wp_global_styles( $theme );
	$post  = ! empty( $found['ID'] ) ? get_post( $found['ID'] ) : null;
	$json  = $post ? json_decode( $post->post_content, true ) : null;
	return array( is_array( $json ) ? $json : array(), $post );
}

function fabrik_style_json_write( $entry ) {
	list( $json, $post ) = fabrik_style_json();
	if ( ! $post ) {
		if ( ! array_key_exists( 'value', $entry ) ) {
			return;
		}
		WP_Theme_JSON_Resolver::get_user_data_from_wp_global_styles( wp_get_theme(), true );
		WP_Theme_JSON_Resolver::clean_cached_data();
		list( $json, $post ) = fabrik_style_json();
		if ( ! $post ) {
			Fabrik::refuse( 'refused', 'the theme has no global styles' );
		}
		add_post_meta( $post->ID, '_fabrik_made', '1', true );
	}
	$json = fabrik_style_bare( fabrik_option_put( $json, $entry['path'], $entry ) );
	if ( ! array_diff_key( $json, array( 'version' => 0, 'isGlobalStylesUserThemeJSON' => 0 ) ) && get_post_meta( $post->ID, '_fabrik_made', true ) ) {
		$terms = wp_get_object_terms( $post->ID, 'wp_theme' );
		wp_delete_post( $post->ID, true );
		foreach ( is_array( $terms ) ? $terms : array() as $term ) {
			$left = get_term( $term->term_id );
			if ( $left && ! is_wp_error( $left ) && 0 === (int) $left->count ) {
				wp_delete_term( $term->term_id, 'wp_theme' );
			}
		}
	} else {
		Fabrik::checked( wp_update_post( array( 'ID' => $post->ID, 'post_content' => wp_slash( wp_json_encode( $json ) ) ), true ) );
	}
	WP_Theme_JSON_Resolver::clean_cached_data();
	// Older ones keep the CSS for a minute.
	delete_transient( 'global_styles_' . get_stylesheet() );
	delete_transient( 'global_styles_svg_filters_' . get_stylesheet() );
}

/** Without branches in which nothing is left. */
function fabrik_style_bare( $json ) {
	foreach ( $json as $key => $value ) {
		if ( is_array( $value ) ) {
			$value = fabrik_style_bare( $value );
			if ( array() === $value ) {
				unset( $json[ $key ] );
			} else {
				$json[ $key ] = $value;
			}
		}
	}
	return $json;
}

function fabrik_style( $op ) {
	if ( 'list' === $op['do'] ) {
		return array();
	}
	if ( 'read' !== $op['do'] ) {
		$fits = 'block' === $op['style'] ? function_exists( 'wp_is_block_theme' ) && wp_is_block_theme() : get_template() === $op['style'];
		if ( ! $fits && 'delete' === $op['do'] ) {
			// The theme went first; what it looked like is with it.
			return null;
		}
		if ( ! $fits ) {
			Fabrik::refuse( 'refused', 'the active theme is ' . get_stylesheet() . ', not ' . $op['style'], array( 'field' => 'theme' ) );
		}
	}
	$result = fabrik_options( $op );
	if ( 'read' !== $op['do'] && 'generatepress' === $op['style'] ) {
		delete_option( 'generate_dynamic_css_output' );
		delete_option( 'generate_dynamic_css_cached_version' );
	}
	return $result;
}
Fabrik::handler( 'style', 'fabrik_style' );
