
// Plugins and themes: what is installed and active. Installing is done by WP-CLI, which knows how.

/** What there was before Fabrik changed something, kept by operation, so that a repeated one knows. */
function fabrik_first( $op, $found ) {
	$kept = json_decode( (string) get_option( 'fabrik_structure', '' ), true );
	$kept = is_array( $kept ) ? $kept : array();
	if ( isset( $op['op'] ) && ! isset( $kept[ $op['op'] ] ) ) {
		$kept[ $op['op'] ] = $found;
		update_option( 'fabrik_structure', wp_json_encode( array_slice( $kept, -500, null, true ) ), false );
	}
	return isset( $op['op'] ) ? $kept[ $op['op'] ] : $found;
}

function fabrik_plugin_row( $slug ) {
	require_once ABSPATH . 'wp-admin/includes/plugin.php';
	wp_cache_delete( 'plugins', 'plugins' );
	foreach ( get_plugins() as $file => $data ) {
		if ( $slug === ( false === strpos( $file, '/' ) ? basename( $file, '.php' ) : dirname( $file ) ) ) {
			$row = array(
				'id'           => $slug,
				'file'         => $file,
				'name'         => wp_strip_all_tags( $data['Name'] ),
				'version'      => (string) $data['Version'],
				'active'       => is_plugin_active( $file ),
				'requires_php' => (string) ( $data['RequiresPHP'] ?? '' ),
				'requires_wp'  => (string) ( $data['RequiresWP'] ?? '' ),
			);
			return $row + array( 'hash' => Fabrik::hash( $row ) );
		}
	}
	return null;
}

function fabrik_plugin( $op ) {
	if ( 'list' === $op['do'] ) {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		$slugs = array_map( function ( $file ) {
			return false === strpos( $file, '/' ) ? basename( $file, '.php' ) : dirname( $file );
		}, array_keys( get_plugins() ) );
		return array_values( array_filter( array_map( 'fabrik_plugin_row', array_unique( $slugs ) ) ) );
	}
	$row = fabrik_plugin_row( $op['id'] );
	if ( 'begin' === $op['do'] ) {
		$first = fabrik_first( $op, array( 'installed' => $row ? $row['version'] : null, 'active' => $row && $row['active'] ) );
		return array( 'id' => $op['id'], 'row' => $row, 'first' => $first );
	}
	return $row;
}
Fabrik::handler( 'plugin', 'fabrik_plugin' );

function fabrik_theme_row( $slug ) {
	wp_clean_themes_cache();
	$theme = wp_get_theme( $slug );
	if ( ! $theme->exists() ) {
		return null;
	}
	$row = array(
		'id'           => $slug,
		'name'         => wp_strip_all_tags( $theme->get( 'Name' ) ),
		'version'      => (string) $theme->get( 'Version' ),
		'active'       => get_stylesheet() === $slug,
		'parent'       => $theme->get_template() === $slug ? '' : $theme->get_template(),
		'block'        => method_exists( $theme, 'is_block_theme' ) && $theme->is_block_theme(),
		'requires_php' => (string) $theme->get( 'RequiresPHP' ),
		'requires_wp'  => (string) $theme->get( 'RequiresWP' ),
	);
	return $row + array( 'hash' => Fabrik::hash( $row ) );
}

/** Options that WordPress or the theme writes when themes are switched. */
function fabrik_theme_options( $slug, $parent ) {
	global $wpdb;
	$found = array();
	foreach ( array_unique( array( 'stylesheet', 'template', 'current_theme', 'theme_switched', 'theme_switched_via_customizer', 'sidebars_widgets', "theme_mods_$slug", "theme_mods_$parent", 'theme_mods_' . get_stylesheet() ) ) as $name ) {
		$row            = $wpdb->get_row( $wpdb->prepare( "SELECT option_value, autoload FROM {$wpdb->options} WHERE option_name = %s", $name ), ARRAY_N );
		$found[ $name ] = $row ? array( base64_encode( $row[0] ), $row[1] ) : null;
	}
	return $found;
}

function fabrik_theme( $op ) {
	global $wpdb;
	if ( 'list' === $op['do'] ) {
		return array_values( array_filter( array_map( 'fabrik_theme_row', array_keys( wp_get_themes() ) ) ) );
	}
	$row = fabrik_theme_row( $op['id'] );
	if ( 'begin' === $op['do'] ) {
		$first = fabrik_first( $op, array(
			'installed' => $row ? $row['version'] : null,
			'active'    => get_stylesheet(),
			'options'   => fabrik_theme_options( $op['id'], $row && $row['parent'] ? $row['parent'] : $op['id'] ),
		) );
		return array( 'id' => $op['id'], 'row' => $row, 'first' => $first );
	}
	if ( 'restore' === $op['do'] ) {
		// The former theme as it was left: its widgets and mods, and no leftovers of the switch.
		foreach ( $op['options'] as $name => $was ) {
			if ( ! preg_match( '/^(stylesheet|template|current_theme|theme_switched|theme_switched_via_customizer|sidebars_widgets|theme_mods_[A-Za-z0-9._-]+)$/', $name ) ) {
				continue;
			}
			if ( null === $was ) {
				delete_option( $name );
				continue;
			}
			list( $value, $autoload ) = $was;
			$there = $wpdb->get_var( $wpdb->prepare( "SELECT COUNT(*) FROM {$wpdb->options} WHERE option_name = %s", $name ) );
			$wpdb->query( $there
				? $wpdb->prepare( "UPDATE {$wpdb->options} SET option_value = %s, autoload = %s WHERE option_name = %s", base64_decode( $value ), $autoload, $name )
				: $wpdb->prepare( "INSERT INTO {$wpdb->options} (option_name, option_value, autoload) VALUES (%s, %s, %s)", $name, base64_decode( $value ), $autoload ) );
			wp_cache_delete( $name, 'options' );
		}
		wp_cache_delete( 'alloptions', 'options' );
		wp_cache_delete( 'notoptions', 'options' );
		delete_option( 'rewrite_rules' );
		return array( 'id' => $op['id'] );
	}
	return $row;
}
Fabrik::handler( 'theme', 'fabrik_theme' );
