
// Accounts.

function fabrik_user_raw( $id, $op ) {
	clean_user_cache( (int) $id );
	$user = get_userdata( (int) $id );
	if ( ! $user ) {
		return null;
	}
	$raw = array(
		'id'    => (string) $user->ID,
		'login' => $user->user_login,
		'email' => $user->user_email,
		'name'  => Fabrik::plain( $user->display_name ),
		'site'  => $user->user_url,
		'bio'   => (string) get_user_meta( $user->ID, 'description', true ),
		'roles' => array_values( $user->roles ),
		'url'   => get_author_posts_url( $user->ID ),
		'mark'  => (string) get_user_meta( $user->ID, '_fabrik', true ),
	);
	$raw['path'] = Fabrik::path( $raw['url'] );
	$raw['hash'] = Fabrik::hash( $raw );
	return $raw;
}

function fabrik_user_row( $set ) {
	$columns = array( 'login' => 'user_login', 'email' => 'user_email', 'name' => 'display_name', 'site' => 'user_url', 'bio' => 'description', 'role' => 'role', 'password' => 'user_pass' );
	$row     = array();
	foreach ( $columns as $field => $column ) {
		if ( array_key_exists( $field, $set ) ) {
			$row[ $column ] = 'name' === $field ? Fabrik::name( $set[ $field ] ) : (string) $set[ $field ];
		}
	}
	return $row;
}

function fabrik_user_check( $raw, $set ) {
	foreach ( array( 'login', 'email', 'name', 'site', 'bio' ) as $field ) {
		if ( array_key_exists( $field, $set ) ) {
			Fabrik::same( $field, (string) $set[ $field ], $raw[ $field ] );
		}
	}
	if ( array_key_exists( 'role', $set ) ) {
		Fabrik::same( 'role', array( $set['role'] ), $raw['roles'] );
	}
}

function fabrik_user( $op ) {
	require_once ABSPATH . 'wp-admin/includes/user.php';
	// Nobody is told by e-mail what a deployment does.
	foreach ( array( 'send_password_change_email', 'send_email_change_email' ) as $filter ) {
		add_filter( $filter, '__return_false' );
	}
	switch ( $op['do'] ) {
		case 'read':
			return fabrik_user_raw( $op['id'], $op );
		case 'list':
			$rows = array();
			foreach ( get_users( array( 'fields' => 'ID', 'orderby' => 'ID' ) ) as $id ) {
				$rows[] = fabrik_user_raw( $id, $op );
			}
			return array_values( array_filter( $rows ) );
		case 'create':
			$set = $op['set'];
			foreach ( array( 'login', 'email' ) as $field ) {
				$taken = get_user_by( $field, $set[ $field ] );
				if ( $taken ) {
					Fabrik::refuse( 'taken', (string) $taken->ID, array( 'field' => $field ) );
				}
			}
			if ( ! get_role( $set['role'] ) ) {
				Fabrik::refuse( 'missing', 'there is no role ' . $set['role'], array( 'field' => 'role' ) );
			}
			$row = fabrik_user_row( $set ) + array( 'user_pass' => wp_generate_password( 40, true, true ) );
			$id  = Fabrik::checked( wp_insert_user( wp_slash( $row ) ) );
			update_user_meta( $id, '_fabrik', $op['op'] );
			$raw = fabrik_user_raw( $id, $op );
			fabrik_user_check( $raw, $set );
			return $raw;
		case 'update':
			$before = fabrik_user_raw( $op['id'], $op );
			if ( ! $before ) {
				Fabrik::refuse( 'gone', 'user ' . $op['id'] . ' is gone' );
			}
			Fabrik::expect( $op, $before );
			if ( isset( $op['set']['email'] ) ) {
				$taken = get_user_by( 'email', $op['set']['email'] );
				if ( $taken && (string) $taken->ID !== (string) $op['id'] ) {
					Fabrik::refuse( 'taken', (string) $taken->ID, array( 'field' => 'email' ) );
				}
			}
			Fabrik::checked( wp_update_user( wp_slash( array( 'ID' => (int) $op['id'] ) + fabrik_user_row( $op['set'] ) ) ) );
			$raw = fabrik_user_raw( $op['id'], $op );
			fabrik_user_check( $raw, $op['set'] );
			return $raw + array( 'before' => $before );
		case 'delete':
			if ( (int) $op['id'] === get_current_user_id() ) {
				Fabrik::refuse( 'refused', 'this is the account by which Fabrik works' );
			}
			if ( get_userdata( (int) $op['id'] ) ) {
				// What the user wrote stays: it goes to the account by which Fabrik works.
				if ( ! wp_delete_user( (int) $op['id'], get_current_user_id() ) ) {
					Fabrik::refuse( 'refused', 'WordPress did not delete user ' . $op['id'] );
				}
			}
			return array( 'id' => (string) $op['id'], 'gone' => true );
	}
}

Fabrik::handler( 'user', 'fabrik_user' );
