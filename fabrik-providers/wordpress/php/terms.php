
// Categories.

function fabrik_term_raw( $id, $op ) {
	clean_term_cache( (int) $id, $op['taxonomy'], false );
	$term = get_term( (int) $id, $op['taxonomy'] );
	if ( ! $term || is_wp_error( $term ) ) {
		return null;
	}
	$url = get_term_link( $term );
	$raw = array(
		'id'          => (string) $term->term_id,
		'slug'        => urldecode( $term->slug ),
		'name'        => Fabrik::plain( $term->name ),
		'description' => $term->description,
		'parent'      => (string) $term->parent,
		'url'         => is_wp_error( $url ) ? '' : $url,
		'mark'        => (string) get_term_meta( $term->term_id, '_fabrik', true ),
	);
	$raw['path'] = Fabrik::path( $raw['url'] );
	$raw['hash'] = Fabrik::hash( $raw );
	return $raw;
}

function fabrik_term_check( $raw, $set ) {
	foreach ( array( 'slug', 'name', 'description' ) as $field ) {
		if ( array_key_exists( $field, $set ) ) {
			Fabrik::same( $field, trim( $set[ $field ] ), $raw[ $field ] );
		}
	}
	if ( array_key_exists( 'parent', $set ) ) {
		Fabrik::same( 'parent', (int) $set['parent'], (int) $raw['parent'] );
	}
}

function fabrik_term( $op ) {
	$taxonomy = $op['taxonomy'];
	switch ( $op['do'] ) {
		case 'read':
			return fabrik_term_raw( $op['id'], $op );
		case 'list':
			$rows = array();
			foreach ( get_terms( array( 'taxonomy' => $taxonomy, 'hide_empty' => false, 'fields' => 'ids', 'orderby' => 'term_id' ) ) as $id ) {
				$rows[] = fabrik_term_raw( $id, $op );
			}
			return array_values( array_filter( $rows ) );
		case 'create':
			$set   = $op['set'];
			$taken = get_term_by( 'slug', $set['slug'], $taxonomy );
			if ( $taken ) {
				Fabrik::refuse( 'taken', (string) $taken->term_id, array( 'field' => 'slug' ) );
			}
			$made = Fabrik::checked( wp_insert_term( wp_slash( Fabrik::name( $set['name'] ) ), $taxonomy, wp_slash( array_diff_key( $set, array( 'name' => 1 ) ) ) ) );
			update_term_meta( $made['term_id'], '_fabrik', $op['op'] );
			$raw = fabrik_term_raw( $made['term_id'], $op );
			fabrik_term_check( $raw, $set );
			return $raw;
		case 'update':
			$before = fabrik_term_raw( $op['id'], $op );
			if ( ! $before ) {
				Fabrik::refuse( 'gone', $taxonomy . ' ' . $op['id'] . ' is gone' );
			}
			Fabrik::expect( $op, $before );
			$set = $op['set'];
			if ( isset( $set['name'] ) ) {
				$set['name'] = Fabrik::name( $set['name'] );
			}
			Fabrik::checked( wp_update_term( (int) $op['id'], $taxonomy, wp_slash( $set ) ) );
			$raw = fabrik_term_raw( $op['id'], $op );
			fabrik_term_check( $raw, $op['set'] );
			return $raw + array( 'before' => $before );
		case 'delete':
			if ( fabrik_term_raw( $op['id'], $op ) ) {
				$done = Fabrik::checked( wp_delete_term( (int) $op['id'], $taxonomy ) );
				if ( 0 === $done ) {
					Fabrik::refuse( 'refused', 'the default category cannot be deleted' );
				}
				// Computed anew when it is missing.
				delete_option( $taxonomy . '_children' );
			}
			return array( 'id' => (string) $op['id'], 'gone' => true );
	}
}

Fabrik::handler( 'term', 'fabrik_term' );
