
// Files of ours among the plugins that WordPress always loads.

function fabrik_mu_file( $op ) {
	if ( ! preg_match( '/^fabrik-[a-z0-9-]+\.php$/', $op['id'] ) ) {
		Fabrik::refuse( 'refused', 'this is no file of ours' );
	}
	$file = WPMU_PLUGIN_DIR . '/' . $op['id'];
	if ( 'read' === $op['do'] ) {
		return is_file( $file ) ? array( 'id' => $op['id'], 'text' => (string) file_get_contents( $file ) ) : null;
	}
	$marker = WPMU_PLUGIN_DIR . '/.fabrik-made';
	if ( 'delete' === $op['do'] ) {
		if ( is_file( $file ) && ! unlink( $file ) ) {
			Fabrik::refuse( 'refused', 'the file cannot be removed: ' . $file );
		}
		// The folder goes with the last file if it was not there before.
		if ( is_file( $marker ) && count( scandir( WPMU_PLUGIN_DIR ) ) === 3 ) {
			unlink( $marker );
			rmdir( WPMU_PLUGIN_DIR );
		}
		return null;
	}
	if ( ! is_dir( WPMU_PLUGIN_DIR ) ) {
		if ( ! wp_mkdir_p( WPMU_PLUGIN_DIR ) ) {
			Fabrik::refuse( 'refused', 'the folder cannot be made: ' . WPMU_PLUGIN_DIR );
		}
		file_put_contents( $marker, '' );
	}
	// Whole or not at all: it is loaded by every request.
	$part = $file . '.' . wp_generate_password( 8, false ) . '.tmp';
	if ( false === @file_put_contents( $part, $op['text'] ) || ! @rename( $part, $file ) ) {
		@unlink( $part );
		Fabrik::refuse( 'refused', 'the file cannot be written: ' . $file );
	}
	if ( function_exists( 'opcache_invalidate' ) ) {
		@opcache_invalidate( $file, true );
	}
	return array( 'id' => $op['id'], 'text' => (string) file_get_contents( $file ) );
}
Fabrik::handler( 'mu_file', 'fabrik_mu_file' );

// WordPress itself.

function fabrik_config_file() {
	return file_exists( ABSPATH . 'wp-config.php' ) ? ABSPATH . 'wp-config.php' : dirname( ABSPATH ) . '/wp-config.php';
}

const FABRIK_BLOCK = '#/\* fabrik: begin ([A-Za-z0-9+/=]*) \*/\n.*?/\* fabrik: end \*/\n#s';

/** What our block in wp-config.php defines. */
function fabrik_config_block( $text ) {
	$set = preg_match( FABRIK_BLOCK, $text, $found ) ? json_decode( base64_decode( $found[1] ), true ) : null;
	return is_array( $set ) ? $set : array();
}

function fabrik_core_row() {
	global $wp_version;
	wp_cache_delete( 'alloptions', 'options' );
	$config = fabrik_config_file();
	$text   = is_readable( $config ) ? (string) file_get_contents( $config ) : '';
	$code   = (string) get_option( 'WPLANG', '' );
	return array(
		'id'        => 'site',
		'version'   => $wp_version,
		'php'       => PHP_VERSION,
		'language'  => $code ? $code : 'en_US',
		'installed' => array_values( array_unique( array_merge( array( 'en_US' ), get_available_languages() ) ) ),
		'constants' => (object) fabrik_config_block( $text ),
		'writable'  => '' !== $text && is_writable( $config ),
	);
}

function fabrik_core( $op ) {
	if ( 'begin' === $op['do'] ) {
		$row   = fabrik_core_row();
		$first = fabrik_first( $op, array( 'language' => false === get_option( 'WPLANG' ) ? null : $row['language'], 'constants' => $row['constants'] ) );
		return array( 'id' => 'site', 'row' => $row, 'first' => $first );
	}
	if ( 'constants' === $op['do'] ) {
		$config = fabrik_config_file();
		$text   = (string) file_get_contents( $config );
		$was    = fabrik_config_block( $text );
		$bare   = preg_replace( FABRIK_BLOCK, '', $text );
		$set    = (array) $op['constants'];
		foreach ( $set as $name => $value ) {
			if ( preg_match( '/define\s*\(\s*[\'"]' . preg_quote( $name, '/' ) . '[\'"]/', $bare ) ) {
				Fabrik::refuse( 'refused', $name . ' is set in wp-config.php by hand: take it out there, or leave it out here', array( 'field' => 'constants.' . $name ) );
			}
		}
		if ( $set ) {
			$lines = '/* fabrik: begin ' . base64_encode( wp_json_encode( $set ) ) . " */\n";
			foreach ( $set as $name => $value ) {
				$lines .= "define( '" . $name . "', " . var_export( $value, true ) . " );\n";
			}
			$lines .= "/* fabrik: end */\n";
			// Before WordPress is loaded: after that it is too late.
			if ( ! preg_match( '#^(/\*\s*That\'s all, stop editing|/\*\* Absolute path|if \( ?! ?defined\( ?[\'"]ABSPATH|require_once.*wp-settings\.php)#m', $bare, $found, PREG_OFFSET_CAPTURE ) ) {
				Fabrik::refuse( 'refused', 'wp-config.php has no line before which constants could be set' );
			}
			$bare = substr_replace( $bare, $lines, $found[0][1], 0 );
		}
		if ( $bare !== $text ) {
			$part = $config . '.fabrik-' . wp_generate_password( 8, false ) . '.php';
			if ( false === @file_put_contents( $part, $bare ) || ! @chmod( $part, fileperms( $config ) & 0777 ) || ! @rename( $part, $config ) ) {
				@unlink( $part );
				Fabrik::refuse( 'refused', 'wp-config.php cannot be written' );
			}
			if ( function_exists( 'opcache_invalidate' ) ) {
				@opcache_invalidate( $config, true );
			}
		}
		return fabrik_core_row() + array( 'was' => (object) $was );
	}
	if ( 'language' === $op['do'] ) {
		$code = 'en_US' === $op['language'] ? '' : $op['language'];
		if ( '' !== $code && ! in_array( $code, get_available_languages(), true ) ) {
			Fabrik::refuse( 'missing', 'the language ' . $code . ' is not installed', array( 'field' => 'language' ) );
		}
		empty( $op['unset'] ) ? update_option( 'WPLANG', $code ) : delete_option( 'WPLANG' );
		return fabrik_core_row();
	}
	return fabrik_core_row();
}
Fabrik::handler( 'core', 'fabrik_core' );
