
// What the site is and what is on it.

function fabrik_facts() {
	global $wpdb, $wp_version;
	if ( ! function_exists( 'get_plugins' ) ) {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
	}
	$needed = array( 'manage_options', 'edit_theme_options', 'install_plugins', 'activate_plugins', 'upload_files', 'edit_pages', 'publish_pages', 'edit_users', 'unfiltered_html' );
	$theme  = wp_get_theme();
	$server = method_exists( $wpdb, 'db_server_info' ) ? (string) $wpdb->db_server_info() : '';
	$sqlite = defined( 'DB_ENGINE' ) && 'sqlite' === DB_ENGINE || false !== stripos( get_class( $wpdb ), 'sqlite' );
	$engine = $sqlite ? 'SQLite' : (string) $wpdb->get_var( $wpdb->prepare( 'SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s', $wpdb->posts ) );
	return array(
		'wordpress'  => $wp_version,
		'php'        => PHP_VERSION,
		'database'   => $sqlite ? 'sqlite' : ( false !== stripos( $server, 'maria' ) ? 'mariadb' : 'mysql' ),
		'atomic'     => $sqlite || 0 === strcasecmp( $engine, 'InnoDB' ),
		'engine'     => $engine,
		'url'        => home_url( '/' ),
		'multisite'  => is_multisite(),
		'theme'      => $theme->get_stylesheet(),
		'template'   => $theme->get_template(),
		'block_theme' => function_exists( 'wp_is_block_theme' ) && wp_is_block_theme(),
		'locations'  => array_keys( (array) get_registered_nav_menus() ),
		'plugins'    => array_values( (array) get_option( 'active_plugins', array() ) ),
		'user'       => wp_get_current_user()->user_login,
		'lacks'      => array_values( array_filter( $needed, function ( $cap ) {
			return ! current_user_can( $cap );
		} ) ),
		'now'        => time(),
	);
}

/** Names that are taken, to be told of before anything is done. */
function fabrik_survey() {
	global $wpdb;
	$most  = 5000;
	$posts = $wpdb->get_results( $wpdb->prepare( "SELECT ID, post_type, post_name, post_parent, post_title FROM {$wpdb->posts} WHERE post_type IN ('page', 'post', 'wpcf7_contact_form', 'wp_navigation') AND post_status NOT IN ('trash', 'auto-draft', 'inherit') ORDER BY ID DESC LIMIT %d", $most ), ARRAY_N );
	$terms = $wpdb->get_results( "SELECT t.term_id, x.taxonomy, t.slug, t.name FROM {$wpdb->terms} t JOIN {$wpdb->term_taxonomy} x ON x.term_id = t.term_id WHERE x.taxonomy IN ('category', 'nav_menu')", ARRAY_N );
	$users = $wpdb->get_results( $wpdb->prepare( "SELECT ID, user_login, user_email FROM {$wpdb->users} LIMIT %d", $most ), ARRAY_N );
	$kept  = $wpdb->get_var( "SELECT option_value FROM {$wpdb->options} WHERE option_name = 'fabrik_journal'" );
	$kept  = json_decode( (string) $kept, true );
	return array(
		'posts' => array_map( function ( $row ) {
			return array( 'id' => (string) $row[0], 'type' => $row[1], 'slug' => urldecode( $row[2] ), 'parent' => (string) $row[3], 'title' => $row[4] );
		}, $posts ),
		'terms' => array_map( function ( $row ) {
			return array( 'id' => (string) $row[0], 'taxonomy' => $row[1], 'slug' => urldecode( $row[2] ), 'name' => html_entity_decode( $row[3], ENT_QUOTES ) );
		}, $terms ),
		'users' => array_map( function ( $row ) {
			return array( 'id' => (string) $row[0], 'login' => $row[1], 'email' => $row[2] );
		}, $users ),
		'ops'   => (object) ( is_array( $kept ) ? ( $kept['ops'] ?? array() ) : array() ),
	);
}
