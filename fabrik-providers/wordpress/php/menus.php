
// Classic menus, each with all its items.

function fabrik_menu_items( $id ) {
	$items = array();
	foreach ( (array) wp_get_nav_menu_items( $id, array( 'post_status' => 'any', 'update_post_term_cache' => false ) ) as $item ) {
		$items[] = array(
			'id'     => (string) $item->ID,
			'parent' => (string) $item->menu_item_parent,
			'type'   => $item->type,
			'object' => $item->object,
			'target' => (string) $item->object_id,
			'url'    => 'custom' === $item->type ? $item->url : '',
			'title'  => (string) get_post( $item->ID )->post_title,
			'shown'  => (string) $item->title,
			'window' => (string) $item->target,
		);
	}
	return $items;
}

function fabrik_menu_raw( $id ) {
	clean_term_cache( (int) $id, 'nav_menu', false );
	$menu = wp_get_nav_menu_object( (int) $id );
	if ( ! $menu || (int) $menu->term_id !== (int) $id ) {
		return null;
	}
	$locations = array();
	foreach ( (array) get_nav_menu_locations() as $location => $at ) {
		if ( (int) $at === (int) $id ) {
			$locations[] = $location;
		}
	}
	sort( $locations );
	$raw = array(
		'id'        => (string) $menu->term_id,
		'name'      => Fabrik::plain( $menu->name ),
		'slug'      => $menu->slug,
		'locations' => $locations,
		'items'     => fabrik_menu_items( (int) $id ),
		'mark'      => (string) get_term_meta( $menu->term_id, '_fabrik', true ),
	);
	$raw['hash'] = Fabrik::hash( $raw );
	return $raw;
}

/** Makes the items of a menu those wanted, in their order; items that are there are used again. */
function fabrik_menu_fill( $id, $wanted ) {
	$there = array_column( fabrik_menu_items( $id ), 'id' );
	$order = 0;
	$walk  = function ( $items, $parent ) use ( &$walk, &$there, &$order, $id ) {
		foreach ( $items as $item ) {
			$use  = (int) array_shift( $there );
			$args = array(
				'menu-item-title'     => $item['title'],
				'menu-item-type'      => $item['type'],
				'menu-item-object'    => $item['object'],
				'menu-item-object-id' => (int) $item['target'],
				'menu-item-url'       => $item['url'],
				'menu-item-target'    => $item['window'],
				'menu-item-parent-id' => $parent,
				'menu-item-position'  => ++$order,
				'menu-item-status'    => 'publish',
			);
			if ( 'post_type' === $item['type'] && 'publish' !== get_post_status( (int) $item['target'] ) && ! get_post( (int) $item['target'] ) ) {
				Fabrik::refuse( 'missing', 'there is no page ' . $item['target'], array( 'field' => 'items' ) );
			}
			if ( 'taxonomy' === $item['type'] && ! term_exists( (int) $item['target'], $item['object'] ) ) {
				Fabrik::refuse( 'missing', 'there is no category ' . $item['target'], array( 'field' => 'items' ) );
			}
			$made = Fabrik::checked( wp_update_nav_menu_item( $id, $use, wp_slash( $args ) ) );
			$walk( $item['children'], $made );
		}
	};
	$walk( $wanted, 0 );
	foreach ( $there as $surplus ) {
		wp_delete_post( (int) $surplus, true );
	}
}

function fabrik_menu_locate( $id, $wanted ) {
	$known = get_registered_nav_menus();
	foreach ( $wanted as $location ) {
		if ( ! isset( $known[ $location ] ) ) {
			Fabrik::refuse( 'location', $location, array( 'field' => 'locations', 'known' => array_keys( $known ) ) );
		}
	}
	$locations = array_filter( (array) get_nav_menu_locations(), function ( $at ) use ( $id ) {
		return (int) $at !== (int) $id;
	} );
	foreach ( $wanted as $location ) {
		$locations[ $location ] = (int) $id;
	}
	fabrik_menu_places( $locations );
}

/** Where no menu is shown any more, the theme's value becomes what it was before the first of ours. */
function fabrik_menu_places( $locations ) {
	$mods  = get_theme_mods();
	$there = is_array( $mods ) && array_key_exists( 'nav_menu_locations', $mods );
	$theme = get_stylesheet();
	if ( $locations ) {
		if ( ! isset( Fabrik::$journal['places'][ $theme ] ) && ( ! $there || ! $mods['nav_menu_locations'] ) ) {
			Fabrik::$journal['places'][ $theme ] = $there ? 'empty' : 'none';
		}
		set_theme_mod( 'nav_menu_locations', $locations );
	} elseif ( 'none' === ( Fabrik::$journal['places'][ $theme ] ?? 'empty' ) ) {
		remove_theme_mod( 'nav_menu_locations' );
	} elseif ( $there && $mods['nav_menu_locations'] ) {
		set_theme_mod( 'nav_menu_locations', array() );
	}
}

/** The items that were sent, as they must read. */
function fabrik_menu_check( $raw, $set ) {
	if ( array_key_exists( 'name', $set ) ) {
		Fabrik::same( 'name', $set['name'], $raw['name'] );
	}
	if ( array_key_exists( 'items', $set ) ) {
		$count = function ( $items ) use ( &$count ) {
			return array_sum( array_map( function ( $item ) use ( &$count ) {
				return 1 + $count( $item['children'] );
			}, $items ) );
		};
		Fabrik::same( 'items', $count( $set['items'] ), count( $raw['items'] ) );
	}
}

// The rows of a menu's items are kept for a while, so that a rollback brings them back as they were.

function fabrik_menu_keep( $op ) {
	global $wpdb;
	$kept = array();
	foreach ( array_column( fabrik_menu_items( (int) $op['id'] ), 'id' ) as $id ) {
		$kept[] = array(
			'row'  => $wpdb->get_row( $wpdb->prepare( "SELECT * FROM {$wpdb->posts} WHERE ID = %d", $id ), ARRAY_A ),
			'meta' => $wpdb->get_results( $wpdb->prepare( "SELECT meta_key, meta_value FROM {$wpdb->postmeta} WHERE post_id = %d ORDER BY meta_id", $id ), ARRAY_A ),
		);
	}
	if ( strlen( wp_json_encode( $kept ) ) < 262144 ) {
		Fabrik::$journal['bin'][ 'menu/' . $op['id'] ] = $kept;
	}
}

/** Makes the items what they were before the last write. Whether that was kept, and nobody has their ids. */
function fabrik_menu_put_back( $id ) {
	global $wpdb;
	$kept = Fabrik::$journal['bin'][ 'menu/' . $id ] ?? null;
	$menu = wp_get_nav_menu_object( $id );
	if ( null === $kept ) {
		return false;
	}
	$now = array_column( fabrik_menu_items( $id ), 'id' );
	foreach ( $kept as $item ) {
		if ( ! in_array( (string) $item['row']['ID'], $now, true ) && get_post( (int) $item['row']['ID'] ) ) {
			return false;
		}
	}
	foreach ( $now as $item ) {
		wp_delete_post( (int) $item, true );
	}
	foreach ( $kept as $item ) {
		$there = (int) $item['row']['ID'];
		$wpdb->insert( $wpdb->posts, $item['row'] );
		foreach ( $item['meta'] as $meta ) {
			$wpdb->insert( $wpdb->postmeta, array( 'post_id' => $there ) + $meta );
		}
		clean_post_cache( $there );
		Fabrik::checked( wp_set_object_terms( $there, array( (int) $menu->term_id ), 'nav_menu' ) );
	}
	unset( Fabrik::$journal['bin'][ 'menu/' . $id ] );
	return true;
}

function fabrik_menu_set( $id, $set ) {
	if ( array_key_exists( 'items', $set ) ) {
		fabrik_menu_fill( $id, $set['items'] );
	}
	if ( array_key_exists( 'locations', $set ) ) {
		fabrik_menu_locate( $id, $set['locations'] );
	}
	$raw = fabrik_menu_raw( $id );
	fabrik_menu_check( $raw, $set );
	return $raw;
}

function fabrik_menu( $op ) {
	switch ( $op['do'] ) {
		case 'read':
			return fabrik_menu_raw( $op['id'] );
		case 'list':
			return array_values( array_filter( array_map( 'fabrik_menu_raw', get_terms( array( 'taxonomy' => 'nav_menu', 'hide_empty' => false, 'fields' => 'ids', 'orderby' => 'term_id' ) ) ) ) );
		case 'create':
			$set = $op['set'];
			foreach ( array( 'slug' => $set['slug'], 'name' => $set['name'] ) as $field => $value ) {
				$taken = get_term_by( $field, 'name' === $field ? Fabrik::name( $value ) : $value, 'nav_menu' );
				if ( $taken ) {
					Fabrik::refuse( 'taken', (string) $taken->term_id, array( 'field' => $field ) );
				}
			}
			$made = Fabrik::checked( wp_insert_term( wp_slash( Fabrik::name( $set['name'] ) ), 'nav_menu', array( 'slug' => $set['slug'] ) ) );
			update_term_meta( $made['term_id'], '_fabrik', $op['op'] );
			return fabrik_menu_set( (int) $made['term_id'], $set );
		case 'update':
			$before = fabrik_menu_raw( $op['id'] );
			if ( ! $before ) {
				Fabrik::refuse( 'gone', 'menu ' . $op['id'] . ' is gone' );
			}
			Fabrik::expect( $op, $before );
			if ( isset( $op['set']['name'] ) && $op['set']['name'] !== $before['name'] ) {
				Fabrik::checked( wp_update_term( (int) $op['id'], 'nav_menu', array( 'name' => wp_slash( Fabrik::name( $op['set']['name'] ) ), 'slug' => $before['slug'] ) ) );
			}
			if ( ! empty( $op['back'] ) && fabrik_menu_put_back( (int) $op['id'] ) ) {
				unset( $op['set']['items'] );
			}
			return fabrik_menu_set( (int) $op['id'], $op['set'] ) + array( 'before' => $before );
		case 'delete':
			if ( fabrik_menu_raw( $op['id'] ) ) {
				// WordPress leaves an empty value behind.
				Fabrik::$journal['places'] = ( Fabrik::$journal['places'] ?? array() ) + array( get_stylesheet() => false === get_theme_mod( 'nav_menu_locations' ) ? 'none' : 'empty' );
				fabrik_menu_locate( (int) $op['id'], array() );
				Fabrik::checked( wp_delete_nav_menu( (int) $op['id'] ) );
				fabrik_menu_places( array_filter( (array) get_nav_menu_locations() ) );
			}
			return array( 'id' => (string) $op['id'], 'gone' => true );
	}
}

Fabrik::handler( 'menu', 'fabrik_menu' );
