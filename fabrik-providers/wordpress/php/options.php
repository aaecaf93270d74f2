
// Options, or values inside of options. An entry names one; a null path is the whole option.

function fabrik_option_stored( $name ) {
	global $wpdb;
	if ( 'fabrik:css' === $name ) {
		$css = fabrik_style_css();
		return null === $css ? null : array( 'value' => $css );
	}
	if ( 'fabrik:global_styles' === $name ) {
		return array( 'value' => fabrik_style_json()[0] );
	}
	wp_cache_delete( $name, 'options' );
	wp_cache_delete( 'alloptions', 'options' );
	wp_cache_delete( 'notoptions', 'options' );
	$row = $wpdb->get_row( $wpdb->prepare( "SELECT option_value FROM {$wpdb->options} WHERE option_name = %s", $name ) );
	return $row ? array( 'value' => maybe_unserialize( $row->option_value ) ) : null;
}

function fabrik_option_value( $entry ) {
	if ( isset( $entry['mod'] ) ) {
		$mods = get_theme_mods();
		return is_array( $mods ) && array_key_exists( $entry['mod'], $mods ) ? array( 'value' => $mods[ $entry['mod'] ] ) : null;
	}
	$found = fabrik_option_stored( $entry['name'] );
	foreach ( (array) ( $entry['path'] ?? array() ) as $key ) {
		if ( ! $found || ! is_array( $found['value'] ) || ! array_key_exists( $key, $found['value'] ) ) {
			return null;
		}
		$found = array( 'value' => $found['value'][ $key ] );
	}
	if ( isset( $entry['member'] ) ) {
		$found = array( 'value' => in_array( $entry['member'], $found ? (array) $found['value'] : array(), true ) );
	}
	// Some options are stored with their special characters as entities.
	if ( $found && ! empty( $entry['html'] ) ) {
		$found['value'] = html_entity_decode( (string) $found['value'], ENT_QUOTES, 'UTF-8' );
	}
	return $found;
}

function fabrik_option_raw( $op ) {
	$values = array();
	foreach ( $op['entries'] as $entry ) {
		$found    = fabrik_option_value( $entry );
		$values[] = $found && ! is_object( $found['value'] ) ? $found : null;
	}
	$raw         = array( 'id' => $op['id'], 'values' => $values );
	$raw['hash'] = Fabrik::hash( $raw );
	return $raw + array( 'url' => home_url( '/' ) );
}

function fabrik_option_put( $whole, $path, $entry ) {
	$key = array_shift( $path );
	$whole = is_array( $whole ) ? $whole : array();
	if ( $path ) {
		$whole[ $key ] = fabrik_option_put( $whole[ $key ] ?? array(), $path, $entry );
		if ( array() === $whole[ $key ] && ! array_key_exists( 'value', $entry ) ) {
			unset( $whole[ $key ] );
		}
	} elseif ( array_key_exists( 'value', $entry ) ) {
		$whole[ $key ] = $entry['value'];
	} else {
		unset( $whole[ $key ] );
	}
	return $whole;
}

function fabrik_option_write( $entry ) {
	if ( 'fabrik:css' === ( $entry['name'] ?? '' ) ) {
		fabrik_style_css_put( $entry['value'] ?? null );
		return;
	}
	if ( 'fabrik:global_styles' === ( $entry['name'] ?? '' ) ) {
		fabrik_style_json_write( $entry );
		return;
	}
	if ( isset( $entry['mod'] ) ) {
		array_key_exists( 'value', $entry ) ? set_theme_mod( $entry['mod'], $entry['value'] ) : remove_theme_mod( $entry['mod'] );
		return;
	}
	$name = $entry['name'];
	if ( 'permalink_structure' === $name ) {
		global $wp_rewrite;
		$wp_rewrite->set_permalink_structure( $entry['value'] ?? '' );
		delete_option( 'rewrite_rules' );
		Fabrik::$commit[] = 'fabrik_hard_flush';
		return;
	}
	if ( ! empty( $entry['html'] ) && isset( $entry['value'] ) ) {
		// WordPress escapes it, but for what looks like an entity already.
		$entry['value'] = htmlspecialchars( $entry['value'], ENT_QUOTES, 'UTF-8' );
	}
	$there = fabrik_option_stored( $name );
	if ( isset( $entry['member'] ) ) {
		$list  = $there ? array_values( array_diff( (array) $there['value'], array( $entry['member'] ) ) ) : array();
		$entry = array( 'name' => $name, 'value' => empty( $entry['value'] ) ? $list : array_merge( $list, array( $entry['member'] ) ) );
	}
	$path  = (array) ( $entry['path'] ?? array() );
	if ( $path ) {
		$value = fabrik_option_put( $there ? $there['value'] : array(), $path, $entry );
		if ( array() === $value && ! array_key_exists( 'value', $entry ) ) {
			// Nothing but ours was in it.
			delete_option( $name );
			return;
		}
	} elseif ( array_key_exists( 'value', $entry ) ) {
		$value = $entry['value'];
	} else {
		delete_option( $name );
		return;
	}
	if ( $there ) {
		update_option( $name, $value );
	} else {
		add_option( $name, $value, '', $entry['autoload'] ?? 'yes' );
	}
}

function fabrik_hard_flush() {
	require_once ABSPATH . 'wp-admin/includes/misc.php';
	require_once ABSPATH . 'wp-admin/includes/file.php';
	flush_rewrite_rules( true );
}

/** Equal, with numbers and their texts the same: WordPress stores texts. */
function fabrik_option_same( $sent, $found ) {
	if ( is_array( $sent ) && is_array( $found ) ) {
		if ( count( $sent ) !== count( $found ) ) {
			return false;
		}
		foreach ( $sent as $key => $value ) {
			if ( ! array_key_exists( $key, $found ) || ! fabrik_option_same( $value, $found[ $key ] ) ) {
				return false;
			}
		}
		return true;
	}
	if ( is_scalar( $sent ) && is_scalar( $found ) ) {
		return (string) $sent === (string) $found;
	}
	return $sent === $found;
}

function fabrik_options( $op ) {
	if ( 'read' === $op['do'] ) {
		$raw = fabrik_option_raw( $op );
		return ! empty( $op['some'] ) && ! array_filter( $raw['values'] ) ? null : $raw;
	}
	$before = fabrik_option_raw( $op );
	Fabrik::expect( $op, $before );
	foreach ( (array) ( $op['posts'] ?? array() ) as $field => $id ) {
		$post = $id ? get_post( (int) $id ) : null;
		if ( $id && ( ! $post || 'trash' === $post->post_status ) ) {
			Fabrik::refuse( 'missing', 'there is no page or image ' . $id, array( 'field' => $field ) );
		}
	}
	if ( isset( $op['mu'] ) ) {
		fabrik_mu_plugin( $op['mu']['name'], 'delete' === $op['do'] ? null : $op['mu']['code'] );
	}
	foreach ( $op['entries'] as $at => $entry ) {
		if ( array_key_exists( 'value', $entry ) || ! empty( $entry['unset'] ) ) {
			$found = $before['values'][ $at ];
			// Put back only what is still as it was sent.
			if ( array_key_exists( 'if', $entry ) && ! ( $found && fabrik_option_same( $entry['if'], $found['value'] ) ) ) {
				continue;
			}
			if ( $found && array_key_exists( 'value', $entry ) && fabrik_option_same( $entry['value'], $found['value'] ) ) {
				continue;
			}
			if ( ! $found && ! empty( $entry['unset'] ) ) {
				continue;
			}
			fabrik_option_write( $entry );
		}
	}
	$raw = fabrik_option_raw( $op );
	foreach ( $op['entries'] as $at => $entry ) {
		$found = $raw['values'][ $at ];
		if ( array_key_exists( 'value', $entry ) && ! array_key_exists( 'if', $entry ) && ! ( $found && fabrik_option_same( $entry['value'], $found['value'] ) ) ) {
			Fabrik::refuse( 'altered', $entry['field'] ?? $entry['name'], array( 'field' => $entry['field'] ?? 'value' ) );
		}
	}
	return $raw + array( 'before' => $before );
}

/** Writes or removes a plugin file of ours; it goes back when the transaction does. */
function fabrik_mu_plugin( $name, $code ) {
	$file  = WPMU_PLUGIN_DIR . '/' . basename( $name );
	$there = is_file( $file ) ? file_get_contents( $file ) : null;
	if ( $there === $code ) {
		return;
	}
	$made = ! is_dir( WPMU_PLUGIN_DIR );
	$put  = function ( $code ) use ( $file ) {
		if ( null === $code ) {
			return @unlink( $file );
		}
		return false !== @file_put_contents( $file . '.new', $code ) && @rename( $file . '.new', $file );
	};
	if ( $made && ! wp_mkdir_p( WPMU_PLUGIN_DIR ) || ! $put( $code ) ) {
		Fabrik::refuse( 'files', $file );
	}
	Fabrik::$undo[] = function () use ( $put, $there, $made ) {
		$put( $there );
		if ( $made ) {
			@rmdir( WPMU_PLUGIN_DIR );
		}
	};
}

Fabrik::handler( 'options', 'fabrik_options' );
